"""Pays investors their daily return and their uplines' commissions, to the cent and once; watches, cleans, reports."""
