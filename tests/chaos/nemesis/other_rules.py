"""The same rules under another version: what they store is of no use to the shop."""

from dataclasses import replace
from typing import Final

from esdash.shop.domain import SHOP

OTHER_SHOP: Final = replace(SHOP, version="other")
