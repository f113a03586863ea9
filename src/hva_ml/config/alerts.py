"""The section ``[alerts]``: who is told of bad nights and alarms. An address never stands in it."""

from typing import Literal

from pydantic.dataclasses import dataclass

from hva_ml.config.names import FROZEN, Variable

Occasion = Literal["refused", "failed", "undone", "alarm", "published"]


@dataclass(frozen=True, config=FROZEN)
class Alerts:
    """``[alerts]``: who is told of bad nights and new alarms, over any service that Apprise knows.

    `url_env` names the environment variable that holds the addresses, several of them separated by spaces: a
    webhook (`jsons://host/path`), chat, mail, SMS. A message names pipeline, day, run, stage and finding,
    never an account; of the alarms of `hva monitor` codes and numbers only, in the night that raises them.
    An alert that fails changes nothing about the night; it is logged.
    """

    url_env: Variable = ""
    on: tuple[Occasion, ...] = ("refused", "failed", "undone", "alarm")
