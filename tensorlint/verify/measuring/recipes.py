"""What to call each function with, where the generic arguments do not fit it."""

from __future__ import annotations

from collections.abc import Mapping

from tensorlint.verify.measuring.arguments import Recipe
from tensorlint.verify.measuring.recipes_of_numpy import NUMPY_RECIPES
from tensorlint.verify.measuring.recipes_of_torch import TORCH_RECIPES

#: Recipes by name; ``tensor:NAME`` (methods and attributes), ``torch:DOTTED``, ``array:NAME`` and ``numpy:DOTTED`` go
#: before the bare last part of the name, which serves methods and functions alike. All recipes of a name are run.
RECIPES: Mapping[str, tuple[Recipe, ...]] = {**TORCH_RECIPES, **NUMPY_RECIPES}
