"""The list of what a bundle holds, as a CycloneDX document (SBOM) in JSON: packages, licences, files, dependencies."""

import re
import uuid
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path
from typing import Final

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import License
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy.bundle.wheels import Target, digest

PROJECT: Final = "aquila"


@dataclass
class Package:
    """A package of which the bundle has wheels.

    Attributes:
        metadata: What it says about itself (core metadata, PyPA).
        files: Its wheels.
    """

    metadata: Message
    files: list[Path] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Its name, as packages are compared by it."""
        return canonicalize_name(self.metadata["Name"])

    @property
    def version(self) -> str:
        """Its version."""
        return str(self.metadata["Version"])

    def licence(self) -> License | None:
        """Return its licence: the SPDX expression, else what the field or the classifiers of older metadata say."""
        stated = self.metadata["License-Expression"] or self.metadata["License"]
        if not stated or "\n" in stated:  # some have the whole text there
            classifiers = self.metadata.get_all("Classifier") or []
            names = [one.rpartition(" :: ")[2] for one in classifiers if one.startswith("License ::")]
            stated = names[0] if names else None
        return LicenseFactory().make_from_string(stated) if stated else None

    def requirements(self, targets: Iterable[Target], extras: frozenset[str]) -> Iterator[Requirement]:
        """Yield what it needs on any of these machines, with these of its extras."""
        for requirement in map(Requirement, self.metadata.get_all("Requires-Dist") or []):
            if any(target.needs(requirement, extra) for target in targets for extra in ("", *extras)):
                yield requirement


def packages(wheels: Iterable[Path]) -> list[Package]:
    """Return the packages of wheels, by name and version."""
    found: dict[tuple[str, str], Package] = {}
    for wheel in sorted(wheels):
        package = Package(_metadata(wheel))
        found.setdefault((package.name, package.version), package).files.append(wheel)
    return [found[key] for key in sorted(found)]


def _metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        [name] = [one for one in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", one)]
        return HeaderParser().parsestr(archive.read(name).decode("utf-8"))


def document(wheels: Iterable[Path], targets: Iterable[Target], time: int) -> str:
    """Return the document about wheels, one component for each package; the same wheels give the same bytes.

    Args:
        wheels: Aquila's and those of its dependencies.
        targets: The machines that the bundle is for: what a package needs depends on them.
        time: The document's time, in seconds since 1970.

    Returns:
        JSON by version 1.6 of CycloneDX.
    """
    held, machines = packages(wheels), list(targets)
    components = {id(package): _component(package) for package in held}
    bom = Bom()
    bom.metadata.timestamp = datetime.fromtimestamp(time, tz=UTC)
    by_name: dict[str, list[Package]] = defaultdict(list)
    for package in held:
        by_name[package.name].append(package)
        if package.name == PROJECT:
            bom.metadata.component = components[id(package)]
        else:
            bom.components.add(components[id(package)])
    extras = _wanted_extras(held, machines)
    for package in held:
        needed = {canonicalize_name(one.name) for one in package.requirements(machines, extras[package.name])}
        dependencies = [components[id(other)] for name in sorted(needed) for other in by_name[name]]
        bom.register_dependency(components[id(package)], dependencies)
    names = " ".join(f"{file.name}:{digest(file)}" for package in held for file in package.files)
    bom.serial_number = uuid.uuid5(uuid.NAMESPACE_URL, f"{time} {names}")
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


def _wanted_extras(held: Iterable[Package], machines: Iterable[Target]) -> Mapping[str, frozenset[str]]:
    """Return the extras by which packages are asked for; Aquila's own are all in the bundle."""
    found: dict[str, frozenset[str]] = defaultdict(frozenset)
    for package in held:
        if package.name == PROJECT:
            found[PROJECT] = frozenset(package.metadata.get_all("Provides-Extra") or [])
    for package in held:
        for requirement in package.requirements(machines, found[PROJECT] if package.name == PROJECT else frozenset()):
            found[canonicalize_name(requirement.name)] |= requirement.extras
    return found


def _component(package: Package) -> Component:
    licence = package.licence()
    files = [
        ExternalReference(
            type=ExternalReferenceType.DISTRIBUTION,
            url=XsUri(f"wheels/{file.name}"),
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest(file))],
        )
        for file in package.files
    ]
    address = PackageURL("pypi", name=package.name, version=package.version)
    return Component(
        type=ComponentType.APPLICATION if package.name == PROJECT else ComponentType.LIBRARY,
        name=package.name,
        version=package.version,
        description=package.metadata["Summary"],
        licenses=[licence] if licence else [],
        purl=None if package.name == PROJECT else address,  # it is in no registry
        bom_ref=f"{package.name}=={package.version}",
        external_references=files,
    )
