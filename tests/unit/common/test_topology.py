"""What exists in JetStream: no subject leaks, no consumer that one busy conversation could stop."""

import pytest
from nats.js.api import AckPolicy, DeliverPolicy, DiscardPolicy, RetentionPolicy, StorageType, StreamConfig

from parley_common import topology
from parley_common.events import Priority
from parley_common.lanes import LANES

STREAMS = {str(config.name): config for config in topology.streams(topology.Limits())}
LASTING = sorted(set(STREAMS) - {topology.LEASES, topology.COUNTERS})
EVENTS = sorted(set(LASTING) - {topology.MEDIA_STREAM})

every_consumer = pytest.mark.parametrize("durable", sorted(c.durable for c in topology.CONSUMERS))


def consumer(durable: str) -> topology.Consumer:
    return next(consumer for consumer in topology.CONSUMERS if consumer.durable == durable)


def covers(pattern: str, subject: str) -> bool:
    wanted, tokens = pattern.split("."), subject.split(".")
    if wanted[-1] == ">":
        wanted, tokens = wanted[:-1], tokens[: len(wanted) - 1] if len(tokens) >= len(wanted) else []
    return len(wanted) == len(tokens) and all(
        a in ("*", b) or b == "*" for a, b in zip(wanted, tokens, strict=True)
    )


@pytest.mark.parametrize(
    ("subject", "stream"),
    [
        pytest.param(topology.texts("c"), topology.CONVERSATIONS, id="texts"),
        pytest.param(topology.own("c"), topology.CONVERSATIONS, id="own chain"),
        pytest.param(topology.turn_begun("c"), topology.CONVERSATIONS, id="turn begun"),
        pytest.param(topology.turn_done("c"), topology.CONVERSATIONS, id="turn done"),
        pytest.param(topology.sends("c"), topology.CONVERSATIONS, id="sends"),
        pytest.param(topology.reports("c", "p"), topology.REPORTS, id="reports"),
        pytest.param(topology.consent("k"), topology.CONSENT, id="consent"),
        pytest.param(topology.dead_letter("agent"), topology.DEAD_LETTERS, id="dead letters"),
        pytest.param(topology.operators_texts("c"), topology.CONVERSATIONS, id="operators' texts"),
        pytest.param(topology.operators_sends("c"), topology.CONVERSATIONS, id="their sends"),
        pytest.param(topology.notifications("c"), topology.CONVERSATIONS, id="notifications"),
        pytest.param(topology.notification_sends("c"), topology.CONVERSATIONS, id="the sends of those"),
        pytest.param(topology.REPLAYED, topology.DEAD_LETTERS, id="letters replayed"),
        pytest.param(topology.switch(""), topology.CONTROL, id="the switch of all channels"),
        pytest.param(topology.switch("default"), topology.CONTROL, id="a channel's switch"),
        pytest.param(topology.RESTORED, topology.CONTROL, id="restores"),
        pytest.param(topology.log_read("s"), topology.CONTROL, id="how far the log was read"),
        pytest.param(topology.spent("default", "2026-01-02"), topology.COUNTERS, id="segments"),
        pytest.param(topology.media_kept("c", "2026-01-02"), topology.COUNTERS, id="bytes of media"),
        pytest.param("lease.session.s", topology.LEASES, id="leases"),
    ],
)
def test_a_subject_is_kept_by_the_stream_that_is_named_for_it(subject: str, stream: str) -> None:
    assert topology.stream_of(subject) == stream
    keepers = [name for name, config in STREAMS.items() if any(covers(s, subject) for s in config.subjects or ())]
    assert keepers == [stream]


def test_a_subject_of_no_stream_is_refused() -> None:
    with pytest.raises(KeyError):
        topology.stream_of("elsewhere.c")


@pytest.mark.parametrize("of", [topology.texts, topology.turn_done, topology.sends, topology.notifications])
def test_the_conversation_is_read_back_from_its_subjects(of: object) -> None:
    assert callable(of)
    assert topology.conversation_of(of("0abc")) == "0abc"


def test_a_turns_start_and_end_are_of_one_chain_and_texts_are_not() -> None:
    chain = topology.own("c")
    assert covers(chain, topology.turn_begun("c"))
    assert covers(chain, topology.turn_done("c"))
    assert not covers(chain, topology.texts("c"))
    assert not covers(chain, topology.sends("c"))
    assert not covers(chain, topology.turn_done("d"))


def test_only_notifications_are_written_where_others_may_wait_for_hours() -> None:
    places = {priority: topology.outbound("c", priority) for priority in Priority}
    assert places == {
        Priority.REPLY: topology.operators_texts("c"),
        Priority.OPERATOR: topology.operators_texts("c"),
        Priority.NOTIFICATION: topology.notifications("c"),
    }
    assert set(places.values()) == set(topology.all_outbound("c"))


@pytest.mark.parametrize("name", [*LASTING, topology.LEASES])
def test_a_full_stream_refuses_and_forgets_nothing(name: str) -> None:
    assert STREAMS[name].discard is DiscardPolicy.NEW
    assert (STREAMS[name].max_bytes or 0) > 0


@pytest.mark.parametrize("name", LASTING)
def test_what_lasts_is_kept_on_disk_after_it_was_handled(name: str) -> None:
    assert STREAMS[name].storage is StorageType.FILE
    assert STREAMS[name].retention is RetentionPolicy.LIMITS


@pytest.mark.parametrize("name", [topology.CONSENT, topology.DEAD_LETTERS, topology.CONTROL])
def test_a_stop_and_a_dead_letter_never_grow_old(name: str) -> None:
    assert not STREAMS[name].max_age


def test_leases_are_kept_in_memory_and_can_run_out() -> None:
    leases = STREAMS[topology.LEASES]
    assert leases.storage is StorageType.MEMORY
    assert leases.allow_msg_ttl
    assert leases.max_msgs_per_subject == 1
    assert not leases.subject_delete_marker_ttl


@pytest.mark.parametrize(
    ("name", "window_s"),
    [
        pytest.param(topology.CONVERSATIONS, 86_400.0, id="texts for a day"),
        pytest.param(topology.REPORTS, 3600.0, id="reports for an hour"),
    ],
)
def test_a_repeat_is_known_for_as_long_as_it_may_come(name: str, window_s: float) -> None:
    assert STREAMS[name].duplicate_window == window_s


def test_the_window_of_repeats_is_never_longer_than_events_are_kept() -> None:
    short = topology.streams(topology.Limits(max_age_s=120.0))
    windows = [config.duplicate_window for config in short if config.max_age]
    assert [window for window in windows if window] == [120.0, 120.0, 120.0]


def test_an_operators_limits_reach_the_streams() -> None:
    limits = topology.Limits(max_age_s=7200.0, max_bytes=12_345_678, replicas=3)
    streams: dict[str, StreamConfig] = {str(config.name): config for config in topology.streams(limits)}
    assert {config.num_replicas for config in streams.values()} == {3}
    assert {streams[name].max_bytes for name in EVENTS} == {12_345_678}
    assert streams[topology.CONVERSATIONS].max_age == 7200.0


def test_media_are_kept_as_long_as_events_unless_an_operator_says_otherwise() -> None:
    def media(**limits: float) -> StreamConfig:
        found = topology.streams(topology.Limits(max_age_s=7200.0, **limits))  # type: ignore[arg-type]
        return next(config for config in found if config.name == topology.MEDIA_STREAM)

    assert (media().max_age, media().max_bytes) == (7200.0, topology.Limits().media_max_bytes)
    told = media(media_max_age_s=100.0, media_max_bytes=1_234_567)
    assert (told.max_age, told.max_bytes, told.duplicate_window) == (100.0, 1_234_567, 100.0)


def test_an_objects_subjects_are_those_of_its_bucket_and_tell_no_name() -> None:
    bucket = STREAMS[topology.MEDIA_STREAM].subjects or []
    record = topology.media_record("in/MM" + "a" * 32 + "/0")
    for subject in (record, topology.media_chunks("0abc")):
        assert len([pattern for pattern in bucket if covers(pattern, subject)]) == 1
        assert subject.count(".") == 3


@every_consumer
def test_no_consumer_stops_at_a_number_of_unacked_messages(durable: str) -> None:
    config = consumer(durable).config()
    assert config.max_ack_pending == -1
    assert config.max_deliver == -1
    assert config.ack_policy is AckPolicy.EXPLICIT


@pytest.mark.parametrize("durable", [topology.AGENT_BELLS, *(lane.durable for lane in LANES)])
def test_a_doorbell_that_is_declared_again_rings_once_for_each_conversation(durable: str) -> None:
    config = consumer(durable).config()
    assert config.deliver_policy is DeliverPolicy.LAST_PER_SUBJECT
    assert config.ack_wait == topology.ACK_WAIT_S > 3 * topology.HEARTBEAT_S


@every_consumer
def test_a_consumer_hears_only_what_its_stream_keeps(durable: str) -> None:
    kept = STREAMS[consumer(durable).stream].subjects or []
    heard = consumer(durable).subject.replace(">", "*.*")
    assert any(covers(pattern, heard) for pattern in kept)


def test_durables_have_names_of_their_own() -> None:
    assert len({c.durable for c in topology.CONSUMERS}) == len(topology.CONSUMERS)
