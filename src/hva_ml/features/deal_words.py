"""What the deal features are called, in German and English."""

from dataclasses import dataclass

from hva_ml.config import Features
from hva_ml.features.definition import FeatureDefinition, Unit
from hva_ml.features.engagement import slug
from hva_ml.features.wording import chosen


@dataclass(frozen=True)
class Words:
    """Name (after ``deals.``), unit, topic and words of a feature; its measure, if that is not the name."""

    key: str
    unit: Unit
    topic: str
    de: str
    en: str
    measure: str = ""

    def definition(self, features: Features) -> FeatureDefinition:
        """Return the definition, with the pipeline author's own words where there are any."""
        label = chosen(features.labels, (f"deals.{self.key}", self.key), self.de, self.en)
        return FeatureDefinition(
            f"deals.{self.key}", "deal_history", "category" if self.unit == "category" else "number",
            "deal_stages", self.measure or self.key, self.unit, *label, None, f"deals.{self.topic}",
        )  # fmt: skip


WORDS = (
    Words("open_count", "count", "open", "offene Verkaufschancen", "open deals"),
    Words("open_amount", "money", "open_amount", "Volumen offener Verkaufschancen", "volume of open deals"),
    Words("won_count", "count", "won", "gewonnene Verkaufschancen", "won deals"),
    Words("lost_count", "count", "lost", "verlorene Verkaufschancen", "lost deals"),
    Words("win_rate", "share", "win_rate", "Abschlussquote", "win rate"),
    Words("days_in_stage", "days", "days_in_stage", "Tage in der aktuellen Verkaufsphase",
          "days in the current deal stage"),
    Words("last_outcome", "category", "last_outcome", "Ausgang der letzten Verkaufschance",
          "outcome of the last deal"),
    Words("days_since_won", "days", "days_since_won", "Tage seit dem letzten gewonnenen Auftrag",
          "days since the last won deal"),
    Words("days_since_lost", "days", "days_since_lost", "Tage seit der letzten verlorenen Verkaufschance",
          "days since the last lost deal"),
    Words("won_amount_mean", "money", "won_amount_mean", "durchschnittlicher Auftragswert",
          "average won deal"),
    Words("oldest_open_days", "days", "oldest_open", "Alter der ältesten offenen Verkaufschance",
          "age of the oldest open deal"),
)  # fmt: skip

CLOSE_DATES = (
    Words("slip_count", "count", "slipped", "Verschiebungen offener Verkaufschancen",
          "postponements of open deals"),
    Words("slipped_days", "days", "slipped", "Verschiebung aller offenen Verkaufschancen zusammen",
          "postponement of all open deals together"),
    Words("slipped_days_most", "days", "slipped", "größte Verschiebung einer offenen Verkaufschance",
          "longest postponement of an open deal"),
    Words("overdue_count", "count", "overdue", "überfällige Verkaufschancen", "overdue deals"),
    Words("overdue_amount", "money", "overdue", "Volumen überfälliger Verkaufschancen",
          "volume of overdue deals"),
    Words("overdue_days", "days", "overdue", "Rückstand der am längsten überfälligen Verkaufschance",
          "delay of the longest overdue deal"),
    Words("due_amount", "money", "due", "Volumen mit erwartetem Abschluss im Vorhersagezeitraum",
          "volume of deals expected to close within the horizon"),
)  # fmt: skip


def of_stage(stage: str, features: Features) -> tuple[Words, Words]:
    """Return the words of how many deals are open in a stage and of their volume; '' is all other stages.

    Examples
    --------
    >>> [w.de for w in of_stage("proposal", Features())]
    ['offene Verkaufschancen (Phase proposal)', 'Volumen offener Verkaufschancen (Phase proposal)']
    """
    plain = stage.replace("_", " ")
    de, en = chosen(features.labels, (stage,), plain, plain) if stage else ("", "")
    de, en = (f"Phase {de}", f"stage {en}") if stage else ("andere Phasen", "other stages")
    name = f"stage_{slug(stage)}" if stage else "other_stages"
    return (
        Words(f"{name}.open_count", "count", name, f"offene Verkaufschancen ({de})", f"open deals ({en})",
              "stage_count"),
        Words(f"{name}.open_amount", "money", name, f"Volumen offener Verkaufschancen ({de})",
              f"volume of open deals ({en})", "stage_amount"),
    )  # fmt: skip
