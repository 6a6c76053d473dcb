"""Whom to ask: the one SQL function, in thousands of situations that are put to it in a few statements."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.workers.tutoring.providers import Providers

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
CHAIN = ["openai", "anthropic", "gemini", "mistral", "groq", "cohere"]
SITUATIONS = """
CREATE FUNCTION pg_temp.picked(now timestamptz, situations jsonb) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    situation jsonb;
BEGIN
    DELETE FROM tutoring.provider_incident;
    FOR situation IN SELECT jsonb_array_elements(situations) LOOP
        UPDATE tutoring.provider_status s SET state = p.state, usage = p.usage,
            blocked_until = CASE WHEN p.state = 'BLOCKED' THEN now + p.wait_s * interval '1 second' END
        FROM jsonb_to_recordset(situation -> 'providers') AS p (id int, state text, usage numeric, wait_s int)
        WHERE s.provider_id = p.id;
        UPDATE tutoring.ai_provider a SET enabled = p.enabled
        FROM jsonb_to_recordset(situation -> 'providers') AS p (id int, enabled boolean) WHERE a.id = p.id;
        INSERT INTO tutoring.provider_incident (provider_id, verdict, started_at, alerted_at)
        SELECT p.id, 'down', now, now
        FROM jsonb_to_recordset(situation -> 'providers') AS p (id int, down boolean) WHERE p.down;
        RETURN NEXT (SELECT name FROM tutoring.pick_provider(now,
            ARRAY(SELECT jsonb_array_elements_text(situation -> 'leave_out'))));
        DELETE FROM tutoring.provider_incident;
    END LOOP;
END $$
"""


@dataclass(frozen=True)
class Provider:
    """`wait_s`: seconds until a blocked one may be asked again; 0 and less: it may be."""

    state: str
    usage: float | None
    wait_s: int
    down: bool
    enabled: bool

    @property
    def rank(self) -> tuple[int, float]:
        """Lower is asked first; among equals the chain decides."""
        if self.down:
            return 3, 0
        if self.state in ("FAILOVER", "BLOCKED"):
            return 2, 1 if self.usage is None else self.usage
        return 1, 0

    @property
    def may_be_asked(self) -> bool:
        return self.enabled and not (self.state == "BLOCKED" and self.wait_s > 0)


seldom = st.sampled_from([True, False, False, False])
providers_as_they_are = st.builds(
    Provider,
    state=st.sampled_from(["OK", "WARN", "FAILOVER", "BLOCKED", "UNKNOWN"]),
    usage=st.none() | st.sampled_from([0, 0.8, 0.95, 0.96, 0.9999, 1]),
    wait_s=st.sampled_from([-60, 0, 1, 3600]),
    down=seldom,
    enabled=seldom.map(lambda disabled: not disabled),
)
leaving_out = st.lists(st.sampled_from([*CHAIN, "nobody", None]), max_size=3)
situations = st.tuples(st.tuples(*[providers_as_they_are] * 6), leaving_out)


@given(st.lists(situations, min_size=50, max_size=50))
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), phases=(Phase.generate,))
async def test_nobody_is_picked_who_may_not_be_asked_and_among_the_others_the_best(
    providers: Providers, cases: list[tuple[tuple[Provider, ...], list[str | None]]]
) -> None:
    """1,000 situations in 20 statements. What fails is one of them, and needs no shrinking."""
    await providers.school.connection.execute("DROP FUNCTION IF EXISTS pg_temp.picked; " + SITUATIONS)
    given_ = [
        {"providers": [{"id": n, **asdict(p)} for n, p in enumerate(six, 1)], "leave_out": left_out}
        for six, left_out in cases
    ]
    rows = await providers.school.rows("SELECT * FROM pg_temp.picked($1, $2::jsonb)", NOON, json.dumps(given_))
    for (six, left_out), (picked,) in zip(cases, rows, strict=True):
        askable = [n for n, p in enumerate(six) if p.may_be_asked and CHAIN[n] not in left_out]
        best = min(askable, key=lambda n, six=six: (six[n].rank, n), default=None)
        assert picked == (None if best is None else CHAIN[best])
