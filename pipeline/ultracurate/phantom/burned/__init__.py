"""Pictures with burned-in marks of every kind, the exact pixels of each mark, and the clean picture below them."""

from ultracurate.phantom.burned.burn import burn
from ultracurate.phantom.burned.fonts import PACKAGES
from ultracurate.phantom.burned.kinds import GROUPS, KINDS, Burned, Item, Making
from ultracurate.phantom.burned.screen import burned_screen

__all__ = ["GROUPS", "KINDS", "PACKAGES", "Burned", "Item", "Making", "burn", "burned_screen"]
