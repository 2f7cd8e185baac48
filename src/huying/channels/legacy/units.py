"""Finding the unit that an old system's name means: its table of variants, the tree, then the rewrites."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from huying.channels.legacy.map import Rewrite
from huying.people.models import Platform, Unit


class Units:
    """The units of one platform by path, alias and name. A name that two units share finds neither."""

    def __init__(self, platform: Platform, variants: Mapping[str, str], rewrites: Sequence[Rewrite]) -> None:
        units = list(Unit.objects.filter(platform=platform).select_related("platform"))
        names = Counter(unit.name for unit in units)
        self._by_path = {path: unit for unit in units for path in (*unit.aliases, unit.path) if path}
        self._by_name = {unit.name: unit for unit in units if names[unit.name] == 1} | self._by_path
        self._variants, self._rewrites = variants, [(re.compile(one.pattern), one.replace) for one in rewrites]
        self._found: dict[str, Unit | None] = {}

    def unknown_variants(self) -> list[str]:
        """Entries of the table of variants that lead to no unit."""
        return [f"{name} → {path}" for name, path in self._variants.items() if path and path not in self._by_path]

    def find(self, name: str) -> Unit | None:
        if name not in self._found:
            self._found[name] = self._look(name)
        return self._found[name]

    def _look(self, name: str) -> Unit | None:
        path = self._variants.get(name, self._variants.get("*", ""))
        if path:
            return self._by_path.get(path)
        unit = self._by_name.get(name)
        for pattern, replace in self._rewrites:
            if unit is not None:
                break
            name = pattern.sub(replace, name).strip()
            unit = self._by_name.get(name)
        return unit

    def near(self, name: str) -> str:
        """The unit whose name looks most like `name`, to be suggested; empty when none does."""
        found = get_close_matches(name, self._by_name, n=1, cutoff=0.5)
        return self._by_name[found[0]].path if found else ""
