"""The words of the information sheet: key, German, English. Plain language for the person concerned."""

INFORMATION: dict[str, tuple[str, str]] = {
    "info_sheet": (
        "Auskunft über eine automatisierte Bewertung",
        "Information on an automated assessment",
    ),
    "info_law": (
        "nach Art. 15 Abs. 1 Buchst. h DSGVO",
        "under Art. 15 (1) (h) GDPR",
    ),
    "info_simulated": (
        "Dieses Unternehmen ist erfunden.",
        "This company is invented.",
    ),
    "info_short_title": (
        "Kurz gesagt",
        "In short",
    ),
    "info_short": (
        (
            "Ein Computerprogramm schätzt, wie wahrscheinlich ein Unternehmen in den {days} Tagen ab dem "
            "{day} bei uns kauft und wie viel es dann kauft. Aus beidem entsteht eine Reihenfolge, in der"
            " unser Vertrieb Unternehmen anspricht. Dieses Blatt sagt, welche Angaben dafür verwendet "
            "wurden, wie das Programm vorgeht, was dabei herauskam und was das Ergebnis ändern würde."
        ),
        (
            "A computer program estimates how likely a company buys from us in the {days} days from "
            "{day}, and how much it then buys. Both together give an order in which our sales team "
            "approaches companies. This sheet says which data were used, how the program proceeds, what "
            "came out, and what would change the result."
        ),
    ),
    "info_gap": (
        "Der vorhergesagte Zeitraum beginnt erst {gap} Tage nach diesem Tag.",
        "The predicted period begins only {gap} days after that day.",
    ),
    "info_decides_title": (
        "Was das Ergebnis entscheidet und was nicht",
        "What the result decides and what not",
    ),
    "info_decides": (
        (
            "Das Programm ordnet Unternehmen und teilt sie in die Stufen A, B und C ein: A sind die "
            "besten, die zusammen {a} des erwarteten Werts ausmachen, B die nächsten bis {b}, C die "
            "übrigen. Das Programm selbst spricht niemanden an, schließt keinen Vertrag, lehnt keinen ab "
            "und setzt keinen Preis fest."
        ),
        (
            "The program ranks companies and puts them into tiers A, B and C: A are the best that "
            "together make up {a} of the expected value, B the next up to {b}, C the others. The program "
            "itself approaches nobody, concludes no contract, declines none, and sets no price."
        ),
    ),
    "info_lifted": (
        (
            "Die Stufe wurde durch eine eigene Einstufung unseres Vertriebs angehoben; am Ergebnis ändert"
            " das nichts."
        ),
        "The tier was raised by our sales team's own rating; that does not change the result.",
    ),
    "info_data_title": (
        "Welche Angaben verwendet wurden",
        "Which data were used",
    ),
    "info_data": (
        (
            "Verwendet wurde nur, was vor dem {day} geschehen und uns bekannt war. Es sind die folgenden "
            "Angaben zu diesem Unternehmen, so wie das Programm sie erhalten hat. Namen, E-Mail-Adressen "
            "und Inhalte von Nachrichten erhält es nicht; persönliche Merkmale wie Alter, Geschlecht oder"
            " Herkunft weist es zurück."
        ),
        (
            "Only what had happened and was known to us before {day} was used. These are the data about "
            "this company as the program received them. It is given no names, e-mail addresses or "
            "contents of messages; it refuses personal characteristics such as age, gender or origin."
        ),
    ),
    "info_windows": (
        "Gezählt wird in Zeiträumen von höchstens {days} Tagen vor diesem Tag.",
        "Counts cover periods of at most {days} days before that day.",
    ),
    "info_season": (
        "Dazu kommt die Jahreszeit, die für alle Unternehmen dieselbe ist.",
        "The time of the year is added; it is the same for all companies.",
    ),
    "info_sources": (
        "Herkunft der Angaben",
        "Origin of the data",
    ),
    "info_table_accounts": (
        "Stammdaten des Unternehmens",
        "Master data of the company",
    ),
    "info_table_contacts": (
        "Ansprechpartner (nur ihre Anzahl)",
        "Contacts (only how many)",
    ),
    "info_table_events": (
        "Kontakte mit uns: Website, E-Mails, Gespräche, Veranstaltungen",
        "Contacts with us: website, e-mails, conversations, events",
    ),
    "info_table_deal_stages": (
        "Verlauf von Verkaufschancen",
        "History of deals",
    ),
    "info_table_invoices": (
        "Rechnungen und Gutschriften",
        "Invoices and credit notes",
    ),
    "info_table_leads": (
        "Angaben zum Kontakt",
        "Data about the contact",
    ),
    "info_how_title": (
        "Wie das Programm vorgeht",
        "How the program proceeds",
    ),
    "info_how_learn": (
        (
            "Es vergleicht mit der Vergangenheit: An früheren Stichtagen wurde festgehalten, was über "
            "Unternehmen bekannt war, und danach, ob und für wie viel sie gekauft haben."
        ),
        (
            "It compares with the past: at earlier dates it was recorded what was known about companies, "
            "and afterwards whether and for how much they bought."
        ),
    ),
    "info_how_dates": (
        "Diese Stichtage reichen vom {first} bis zum {last}.",
        "These dates reach from {first} to {last}.",
    ),
    "info_how_two": (
        (
            "Daraus lernen zwei Verfahren (viele kleine Entscheidungsbäume, die einander ergänzen): Das "
            "erste schätzt die Wahrscheinlichkeit eines Kaufs, das zweite den Betrag, falls es zum Kauf "
            "kommt."
        ),
        (
            "Two procedures learn from it (many small decision trees that complete each other): the first"
            " estimates the probability of a purchase, the second the amount if there is one."
        ),
    ),
    "info_how_calibrated": (
        (
            "Die Wahrscheinlichkeit wird an späteren, noch nicht gesehenen Daten nachgestellt, damit von "
            "Unternehmen mit 10\u00a0% auch etwa jedes zehnte kauft."
        ),
        (
            "The probability is adjusted on later data not seen before, so that of companies with 10% "
            "about every tenth buys."
        ),
    ),
    "info_how_product": (
        ("Wahrscheinlichkeit mal Betrag ist der erwartete Wert. Nach ihm werden alle Unternehmen geordnet."),
        "Probability times amount is the expected value. All companies are ordered by it.",
    ),
    "info_how_reasons": (
        (
            "Zu jedem Ergebnis wird genau berechnet, welche Angabe es gegenüber einem typischen "
            "Unternehmen um welchen Faktor hebt oder senkt."
        ),
        (
            "For every result it is computed exactly by which factor each item raises or lowers it "
            "against a typical company."
        ),
    ),
    "info_score_title": (
        "Das Ergebnis für {name}",
        "The result for {name}",
    ),
    "info_short_leads": (
        (
            "Ein Computerprogramm schätzt, wie wahrscheinlich aus einem Kontakt {when} ein Abschluss wird "
            "und wie viel er dann bringt; hier ist es der Stand vom {day}. Aus beidem entsteht eine "
            "Reihenfolge, in der unser Vertrieb die Kontakte bearbeitet. Dieses Blatt sagt, welche Angaben "
            "dafür verwendet wurden, wie das Programm vorgeht, was dabei herauskam und was das Ergebnis "
            "ändern würde."
        ),
        (
            "A computer program estimates how likely a contact becomes a deal {when}, and how much that then "
            "brings, here as of {day}. Both together give an order in which our sales team works on "
            "contacts. This sheet says which data were used, how the program proceeds, what came out, and "
            "what would change the result."
        ),
    ),
    "info_score_leads": (
        (
            "Wahrscheinlichkeit eines Abschlusses {when}: {probability}. Betrag, falls es dazu kommt: "
            "etwa {value}. Erwarteter Wert: {expected}. Das ist Rang {rank} von {accounts}, Stufe {tier}."
            " Bei einem typischen Kontakt sind es {base}."
        ),
        (
            "Probability of a deal {when}: {probability}. Amount if there is one: about "
            "{value}. Expected value: {expected}. This is rank {rank} of {accounts}, tier {tier}. For a "
            "typical contact it is {base}."
        ),
    ),
    "info_score": (
        (
            "Wahrscheinlichkeit eines Kaufs in {days} Tagen: {probability}. Betrag, falls es dazu kommt: "
            "etwa {value}. Erwarteter Wert: {expected}. Das ist Rang {rank} von {accounts}, Stufe {tier}."
            " Bei einem typischen Unternehmen sind es {base}."
        ),
        (
            "Probability of a purchase within {days} days: {probability}. Amount if there is one: about "
            "{value}. Expected value: {expected}. This is rank {rank} of {accounts}, tier {tier}. For a "
            "typical company it is {base}."
        ),
    ),
    "info_up": (
        "Das hebt das Ergebnis",
        "What raises the result",
    ),
    "info_down": (
        "Das senkt das Ergebnis",
        "What lowers the result",
    ),
    "info_none": (
        "Nichts Einzelnes merklich.",
        "Nothing notable by itself.",
    ),
    "info_change_title": (
        "Was das Ergebnis ändern würde",
        "What would change the result",
    ),
    "info_change": (
        (
            "Wäre jeweils nur diese eine Angabe wie bei einem typischen Unternehmen, ergäbe dasselbe "
            "Verfahren:"
        ),
        "If only this one item were as for a typical company, the same procedure would give:",
    ),
    "info_change_item": (
        "Angabe wie typisch",
        "Item as typical",
    ),
    "info_change_note": (
        (
            "Das ist eine Rechnung mit demselben Verfahren und keine Zusage, dass ein anderes Verhalten "
            "dazu führt. Ist eine Angabe falsch, können Sie ihre Berichtigung verlangen; das Ergebnis "
            "wird dann neu berechnet."
        ),
        (
            "This is a computation by the same procedure and no promise that other conduct leads there. "
            "If an item is wrong, you can have it corrected; the result is then computed anew."
        ),
    ),
    "info_who_title": (
        "An wen Sie sich wenden können",
        "Whom you can turn to",
    ),
    "info_rights": (
        (
            "Dort können Sie Auskunft und Berichtigung verlangen, der Verarbeitung widersprechen, Ihren "
            "Standpunkt darlegen und eine Überprüfung durch einen Menschen erbitten. Sie können sich auch"
            " bei einer Aufsichtsbehörde beschweren."
        ),
        (
            "There you can ask for access and correction, object to the processing, express your point of"
            " view, and ask for a review by a person. You may also complain to a supervisory authority."
        ),
    ),
    "info_exact": (
        (
            "Lauf {run} · Modellversion {version} · Prüfsumme {release}. Aus genau diesem "
            "veröffentlichten Lauf neu erstellt; jede Datei wurde gegen ihre Prüfsumme gehalten und das "
            "Ergebnis nachgerechnet."
        ),
        (
            "Run {run} · model version {version} · checksum {release}. Rebuilt from exactly this "
            "published run; every file was held to its checksum, and the result was computed again."
        ),
    ),
}
