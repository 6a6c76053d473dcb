"""What the sample shop sells, and what its customers are called. Invented; nobody is meant."""

from __future__ import annotations

FIRST_NAMES = (
    "Aarav Aditi Ananya Arjun Asha Deepa Dev Divya Farhan Gaurav Isha Jaya Kabir Kavya Kiran Lakshmi Manoj Meera Mohan "
    "Neha Nikhil Pooja Priya Rahul Rajesh Ravi Rohan Sana Sanjay Shreya Sunita Tara Uma Varun Vikram Zoya"
)
LAST_NAMES = (
    "Agarwal Banerjee Bhat Chatterjee D'Souza Das Desai Fernandes Gandhi Ghosh Gupta Iyer Jain Joshi Kapoor Khan "
    "Kulkarni Kumar Malhotra Mehta Menon Mishra Nair Patel Pillai Rao Reddy Shah Sharma Singh Thomas Verma Yadav"
)
FIRST, LAST = tuple(FIRST_NAMES.split(" ")), tuple(LAST_NAMES.split(" "))
MATERIALS = {"Silver": 1_490, "Gold-plated": 2_190, "14 kt Gold": 14_900, "18 kt Gold": 24_900, "Platinum": 39_900}
"""Rupees for the simplest piece of each."""
PIECES = {
    "Stud Earrings": 1.0, "Jhumka Earrings": 1.4, "Ring": 1.2, "Solitaire Ring": 3.5, "Pendant": 1.1,
    "Chain, 45 cm": 1.8, "Bangle": 2.2, "Bracelet": 1.9,
    "Mangalsutra": 2.6, "Nose Pin": 0.6, "Anklet": 0.9, "Temple Necklace": 4.8,
}  # fmt: skip


def products() -> list[tuple[str, str, int]]:
    """SKU, name and price in rupees of everything there is."""
    return [
        (f"ORA-{m:02}{p:02}", f"{material} {piece}", round(price * factor / 10) * 10 - 1)
        for m, (material, price) in enumerate(MATERIALS.items(), 1)
        for p, (piece, factor) in enumerate(PIECES.items(), 1)
    ]
