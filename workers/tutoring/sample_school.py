"""What the sample students are called, learn, and are answered by. Invented; nobody is meant."""

from __future__ import annotations

from decimal import Decimal

FIRST_NAMES = (
    "Aaliyah Adam Aiko Amara Ana Anton Bo Carlos Chloé Dilnoza Elif Emil Fatou Goran Hana Ines Ivan Jamal João Kofi "
    "Lea Lin Mateo Mia Nadia Noah Olga Omar Priya Quentin Rosa Sami Sofía Tomás Uma Viktor Wei Yara Zoë"
)
LAST_NAMES = (
    "Abebe Andersson Costa Dubois Eriksen Fischer García Haddad Ito Jansen Kaya Kowalski Lopez Mbeki Müller Nguyen "
    "O'Brien Okafor Petrov Rossi Santos Schmidt Silva Tanaka Tran Varga Weber Yilmaz Zhang 🦊"
)
FIRST, LAST = tuple(FIRST_NAMES.split(" ")), tuple(LAST_NAMES.split(" "))
SUBJECTS = {
    "Mathematics": ("Fractions", "Equations", "Roots", "Geometry", "Probability"),
    "Physics": ("Motion", "Forces", "Energy", "Light"),
    "Chemistry": ("Atoms", "Bonds", "Acids & bases", "Reaction rates"),
    "Biology": ("Cells", "Genetics", "Evolution", "Ecosystems"),
    "History": ("Antiquity", "Middle Ages", "Industrialisation", "Cold War"),
    "English": ("Grammar", "Essays", "Poetry"),
}
PRICES = {
    "openai": (Decimal("2.50"), Decimal("10.00")),
    "anthropic": (Decimal("3.00"), Decimal("15.00")),
    "gemini": (Decimal("1.25"), Decimal("5.00")),
    "mistral": (Decimal("2.00"), Decimal("6.00")),
    "groq": (Decimal("0.59"), Decimal("0.79")),
}
"""Of a million tokens in and out. Examples; one provider has none, so that an unknown cost can be seen."""
