"""Reading the answers of webhooks."""

from parley_simulator.twiml import Reply, read_answer


def test_media_and_the_addressee_of_a_verb_are_read() -> None:
    document = (
        b'<Response><Message to="+12025550122" action="https://example.com/s">'
        b"<Body>two &amp; two</Body><Media>https://example.com/a.png</Media></Message></Response>"
    )
    assert read_answer("text/xml; charset=utf-8", document).replies == (
        Reply("two & two", ("https://example.com/a.png",), "+12025550122", "https://example.com/s"),
    )


def test_more_than_ten_replies_are_cut_and_reported() -> None:
    answer = read_answer("application/xml", b"<Response>" + b"<Message>x</Message>" * 11 + b"</Response>")
    assert len(answer.replies) == 10
    assert [problem.code for problem in answer.problems] == [14109]


def test_an_unknown_verb_is_reported_and_the_rest_is_sent() -> None:
    answer = read_answer("text/xml", b"<Response><Dial/><Message>x</Message></Response>")
    assert [reply.body for reply in answer.replies] == ["x"]
    assert [problem.code for problem in answer.problems] == [12200]


def test_a_document_type_is_refused_before_it_is_parsed() -> None:
    bomb = b'<!DOCTYPE r [<!ENTITY a "aaaa">]><Response><Message>&a;</Message></Response>'
    answer = read_answer("text/xml", bomb)
    assert answer.replies == ()
    assert [problem.code for problem in answer.problems] == [12100]


def test_another_root_is_refused() -> None:
    assert [problem.code for problem in read_answer("text/html", b"<html/>").problems] == [12100]
