"""Keeps a jewellery shop's promises: stock that is reserved, payments that are really paid, customers who are told."""
