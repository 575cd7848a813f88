"""Layers that several pages share: their weights in each framework's names, and how users compose them."""
