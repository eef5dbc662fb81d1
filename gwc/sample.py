"""Making the sample city where it is missing, and copying its stores into real servers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Literal, cast

from gwc.errors import CommandError

__all__ = ["ensure_city", "seed_store"]


def ensure_city(out: Path, size: str, seed: int, say: Callable[[str], None]) -> None:
    """Generate the city at `out` unless one of this size and seed is complete there.

    Raises `CommandError` when another city, or something that is no city, stands there, or nothing can be written.
    """
    from subgraphs.sample_city.generate import CityError, city_manifest, generate_city

    manifest = city_manifest(out)
    if manifest is not None:
        if (manifest.size, manifest.seed) != (size, seed):
            raise CommandError(
                f"{out} holds a city of size {manifest.size}, seed {manifest.seed}; asked for {size}, seed {seed}.",
                "Remove that folder, or choose another --data-dir.",
            )
        say(f"{out}: the {size} city of seed {seed} is there")
        return
    if out.exists() and any(out.iterdir()):
        raise CommandError(f"{out} is not empty and holds no complete city.", "Remove it, or choose another folder.")
    try:
        generate_city(out, cast(Literal["small", "city", "large"], size), seed, say)
    except CityError as error:
        raise CommandError(f"{error}.", "Choose another folder, or one that can be written.") from None


def seed_store(city: Path, region: str, url: str, say: Callable[[str], None]) -> None:
    """Copy one region's store into a real server: documents for mongodb://, tables for anything else."""
    from pymongo.errors import PyMongoError
    from sqlalchemy.exc import SQLAlchemyError

    from subgraphs.sample_city.generate import CityError
    from subgraphs.sample_city.seeding import seed_mongo, seed_sql

    seed = seed_mongo if url.startswith("mongodb") else seed_sql
    say(f"{region}: copying into {url.split('://', 1)[0]}")
    try:
        asyncio.run(seed(city, region, url))
    except CityError as error:
        raise CommandError(f"{error}.", "See the list of regions that can be copied in docker-compose.yml.") from None
    except (OSError, SQLAlchemyError, PyMongoError) as error:
        raise CommandError(f"{url.split('://', 1)[0]} cannot be written: {error}", "Is the server up?") from None
    say(f"{region}: done")
