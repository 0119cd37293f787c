"""Faults on purpose: is what is promised about delivery true?"""
