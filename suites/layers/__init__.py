"""Layers shared by several pages: their weights by each framework's names, and models composed of them."""
