"""Lets the attacks use the small course of the grading tests."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "grading"))
