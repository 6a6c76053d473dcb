"""Real daemons on real databases. `soak` tests run only when asked for: pytest -m soak -s tests/system."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.system.account import Account
from tests.system.daemons import Daemons
from tests.system.machine import CannotBoot, Machine, system_python
from tests.system.place import External, Place, copied, external_bindir
from tests.system.service import SOURCE, Service, lay_out_sources
from tests.system.stage import Stage
from tests.system.template import Template, template

HERE = Path(__file__).parent
FAILED = pytest.StashKey[bool]()
COUNTED = "counted"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "on(*kinds): the places a system test runs on; embedded and external")
    config.addinivalue_line("markers", "quiet: a system test without flights to bill")


def soaking(config: pytest.Config) -> bool:
    return "soak" in str(config.getoption("markexpr"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    asked = soaking(config)
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.system)
            if item.get_closest_marker("soak"):
                item.add_marker(pytest.mark.timeout(3600), append=False)
                if not asked:
                    item.add_marker(pytest.mark.skip(reason="long; make soak runs it"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> object:
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
        stage = getattr(item, "funcargs", {}).get("stage")
        if report.failed and isinstance(stage, Daemons):
            report.sections += stage.logs()
        service = getattr(item, "funcargs", {}).get("service")
        if report.failed and isinstance(service, Service) and service.journal is not None:
            report.sections.append(("journal", service.journal.log()))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was killed, rescued and counted, from whichever process it was counted in."""
    rows = [
        (report.nodeid.rpartition("::")[2], facts)
        for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
        if report.when == "call"
        for key, facts in report.user_properties
        if key == COUNTED
    ]
    if not rows:
        return
    terminalreporter.section("system tests counted")
    for name, facts in rows:
        said = "  ".join(f"{value} {word.replace('_', ' ')}" for word, value in facts.items())
        terminalreporter.write_line(f"{name:<72} {said}")


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A directory for all processes of this session."""
    base = tmp_path_factory.getbasetemp()
    return base if worker_id == "master" else base.parent


@pytest.fixture(scope="session")
def templates(shared: Path, pytestconfig: pytest.Config) -> Callable[[str], Awaitable[Template]]:
    """The seeded cluster for a kind of place, made when first asked for."""
    made: dict[Path | None, Template] = {}
    scale = 1.0 if soaking(pytestconfig) else 0.25

    async def get(kind: str) -> Template:
        bindir = external_bindir() if kind == "external" else None
        if bindir not in made:
            made[bindir] = await template(shared, bindir, scale)
        return made[bindir]

    return get


@pytest.fixture
async def stage(
    request: pytest.FixtureRequest, templates: Callable[[str], Awaitable[Template]]
) -> AsyncIterator[Stage]:
    """On an embedded database, and on an external one; `mark.on("external")` and the like choose one of them."""
    kind = request.param
    seeded = await templates(kind)
    with tempfile.TemporaryDirectory(prefix="sexton-") as name:
        folder = Path(name)
        quiet = request.node.get_closest_marker("quiet") is not None
        state = copied(seeded.quiet if quiet else seeded.folder, folder / "state")
        place: Place = External(state, external_bindir()) if kind == "external" else Place(state)
        await place.start()
        own = Stage(place, folder, seeded, quiet=quiet)
        try:
            yield own
            if not request.node.stash.get(FAILED, True):
                left = await own.left_behind()
                assert not left, "left behind:\n" + "\n".join(left)
        finally:
            await own.clear()


@pytest.fixture(scope="session")
async def machine() -> AsyncIterator[Machine]:
    """One that has booted, with Sexton installed as `make install` does; skipped with the reason where it cannot."""
    python = system_python()
    if python is None:
        pytest.skip("no Python 3.11 or newer with venv outside home directories: apt-get install python3-venv")
    with tempfile.TemporaryDirectory(prefix="sexton-machine-", dir="/tmp") as name:  # a socket in it has a long path
        own = Machine(Path(name), python)
        try:
            await own.mount()
            lay_out_sources(own.root)
            await own.prepared("make", "-s", "-C", f"/{SOURCE}", "install", f"PYTHON={python}")
            await own.boot()
            yield own
        except CannotBoot as reason:
            pytest.skip(f"no systemd of our own: {reason}")
        finally:
            await own.off()


@pytest.fixture
async def service(machine: Machine) -> AsyncIterator[Service]:
    """Sexton in the machine, stopped, with no state."""
    own = Service(machine)
    try:
        await own.reset()
        yield own
    finally:
        await own.close()


@pytest.fixture
async def seeded(service: Service, templates: Callable[[str], Awaitable[Template]]) -> Template:
    """The service's state is a copy of this cluster."""
    found = await templates("embedded")
    await service.load(found.folder)
    return found


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "stage" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("on")
        kinds = marker.args if marker else ("embedded", "external")
        metafunc.parametrize("stage", kinds, indirect=True)


@pytest.fixture
def counted(record_property: Callable[[str, object], None]) -> Callable[..., None]:
    """Keep counts for the table at the end."""

    def keep(account: Account | None = None, **facts: object) -> None:
        record_property(COUNTED, {**facts, **(asdict(account) if account else {})})

    return keep
