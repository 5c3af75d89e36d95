"""A background task that dies makes the service say so."""

from __future__ import annotations

import asyncio
import gc

import pytest

from parley_common.background import Background, end

pytestmark = pytest.mark.anyio


async def forever() -> None:
    await asyncio.Event().wait()


async def fails() -> None:
    raise RuntimeError


async def ends() -> None:
    return


@pytest.mark.parametrize("work", [fails, ends])
async def test_a_task_that_has_ended_is_a_problem_by_its_name(work) -> None:  # type: ignore[no-untyped-def]
    background = Background()
    background.start("lasting", forever())
    background.start("asking", work())
    await asyncio.sleep(0)
    assert background.problems() == ["asking has ended: restart the service"]
    await background.stop()


async def test_tasks_that_were_stopped_are_no_problem() -> None:
    background = Background()
    background.start("lasting", forever())
    await asyncio.sleep(0)
    assert background.problems() == []
    await background.stop()
    assert background.problems() == []


async def deaf_once() -> None:
    try:
        await forever()
    except asyncio.CancelledError:
        await forever()


async def test_a_task_that_did_not_hear_the_first_time_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parley_common.background._TELL_AGAIN_S", 0.01)
    background = Background()
    background.start("deaf", deaf_once())
    await asyncio.sleep(0)
    await asyncio.wait_for(background.stop(), timeout=5)


async def test_nobody_complains_of_what_ended_tasks_raised() -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))
    task = asyncio.create_task(fails())
    await asyncio.sleep(0)
    await end([task])
    del task
    gc.collect()
    assert complaints == []
