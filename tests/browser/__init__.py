"""Tests of pages, and what they share."""
