"""The section ``[alerts]``: who is told of a night that did not come out. An address never stands in it."""

from typing import Literal

from pydantic.dataclasses import dataclass

from hva_ml.config.names import FROZEN, Variable

Occasion = Literal["refused", "failed", "undone", "published"]


@dataclass(frozen=True, config=FROZEN)
class Alerts:
    """``[alerts]``: who is told of a night, over any service that Apprise knows. Without it, nobody is.

    `url_env` names the environment variable that holds the addresses, several of them separated by spaces: a
    webhook (`jsons://host/path`), chat, mail, SMS. A message names pipeline, day, run, stage and finding,
    never an account. An alert that fails changes nothing about the night; it is logged.
    """

    url_env: Variable = ""
    on: tuple[Occasion, ...] = ("refused", "failed", "undone")
