"""Tests of rules as data: cases, and the mutants the cases must kill."""
