"""schedule: wall time against arithmetic by hand, and against what no schedule can beat."""

from hypothesis import given
from hypothesis import strategies as st

from acutance.schedule import longest, makespan

# b and c wait for a, e waits for d:   a 3 ─┬─ b 2      d 2 ─── e 4      f 1
#                                           └─ c 2
HOURS = {"a": 3.0, "b": 2.0, "c": 2.0, "d": 2.0, "e": 4.0, "f": 1.0}
AFTER = {"b": "a", "c": "a", "e": "d"}


def test_the_longest_chain_of_each_job_by_hand() -> None:
    assert longest(HOURS, AFTER) == {"a": 5, "b": 2, "c": 2, "d": 6, "e": 4, "f": 1}


def test_wall_time_by_hand() -> None:
    # one machine: the sum. Two: d 0-2, a 0-3, e 2-6, b 3-5, c 5-7, f 6-7.
    # Three: d 0-2, a 0-3, f 0-1, e 2-6, b 3-5, c 3-5.
    found = [makespan(HOURS, AFTER, machines) for machines in (1, 2, 3, 4, 100)]
    assert found == [14, 7, 6, 6, 6]
    assert makespan({}, {}, 3) == 0


@st.composite
def forests(draw: st.DrawFn) -> tuple[dict[str, float], dict[str, str]]:
    hours = draw(st.lists(st.integers(0, 20), max_size=12))
    names = [f"job{i}" for i in range(len(hours))]
    after = {}
    for i, name in enumerate(names[1:], start=1):
        if draw(st.booleans()):
            after[name] = names[draw(st.integers(0, i - 1))]
    return dict(zip(names, map(float, hours), strict=True)), after


@given(forests(), st.integers(1, 5))
def test_it_lies_between_what_no_schedule_beats_and_twice_that(
    jobs: tuple[dict[str, float], dict[str, str]], machines: int
) -> None:
    hours, after = jobs
    best = max(sum(hours.values()) / machines, max(longest(hours, after).values(), default=0))
    found = makespan(hours, after, machines)
    assert best <= found + 1e-9
    assert found <= 2 * best
    assert makespan(hours, after, 1) == sum(hours.values())
