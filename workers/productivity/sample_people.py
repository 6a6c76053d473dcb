"""What the sample people are called, where they live and what they aim at. Invented; nobody is meant."""

from __future__ import annotations

FIRST_NAMES = (
    "Amina Anders Ayşe Chidi Chloé Daan Diego Emeka Eva Farid Giulia Hye-jin Ines Ivo Jonas Kavya Keanu Leilani Lucía "
    "Mateus Mei Nadia Niamh Olu Priya Rania Sanjay Sione Tomasz Yuki عمر ליאת 小明 अनिता Мария"
)
LAST_NAMES = (
    "Abdi Baker Bianchi Chen Costa Dahal Eze Fernández García Haddad Ito Jensen Kim Kovač Lam Mbeki Müller Novák "
    "O'Connor Park Rao Sato Silva Tanaka Tuilagi Vasić Weber Ziegler 🌻"
)
FIRST, LAST = tuple(FIRST_NAMES.split(" ")), tuple(LAST_NAMES.split(" "))

ZONES = {
    "America/New_York": 14, "Europe/Berlin": 9, "Asia/Kolkata": 12, "Europe/London": 9, "America/Los_Angeles": 8,
    "America/Sao_Paulo": 6, "Asia/Tokyo": 5, "Europe/Zurich": 4, "Australia/Sydney": 4, "Asia/Shanghai": 4,
    "America/Chicago": 4, "Africa/Lagos": 3, "Asia/Dubai": 3, "Asia/Kathmandu": 2, "Africa/Cairo": 2,
    "Asia/Singapore": 2, "America/St_Johns": 1, "Pacific/Auckland": 2, "Pacific/Apia": 1, "Australia/Lord_Howe": 1,
    "Pacific/Chatham": 1, "America/Anchorage": 1, "UTC": 2,
}  # fmt: skip
"""Zone → people of a hundred."""
ZONE_OF_A_HUNDRED = tuple(zone for zone, share in ZONES.items() for _ in range(share))

GOALS = (
    "Finish the thesis draft", "Run 10 km", "Learn 500 words of Spanish", "Tidy the garage", "Prepare the talk",
    "Read twelve books", "Ship version 2.0", "Write the tax return", "Practise the piano", "Book the holiday",
    "Update the portfolio", "تعلّم الخط العربي", "Plan the garden 🌱", "Pass the driving test", "Call old friends",
    "Sort the photos of 2025", "Review the budget", "Cook something new", "Meditate for a month", "Fix the bicycle",
)  # fmt: skip
FEATURES = ("pomodoro", "stopwatch", "countdown", "focus music")
