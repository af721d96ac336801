"""A server that does not start says why."""

import pytest

from tests.vllm_server import serving_model


@pytest.mark.vllm
@pytest.mark.slow
def test_a_server_that_ends_fails_the_test_with_its_last_words(tmp_path):
    with (
        pytest.raises(pytest.fail.Exception, match=r"(?s)ended with status [1-9].*--no-such-option"),
        serving_model(tmp_path / "model", "--no-such-option"),
    ):
        pass
