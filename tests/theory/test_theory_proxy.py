"""Every proxy on small networks: a number, the same twice, and what can be worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch
from theory_sample import bound

from resbench.errors import PluginError
from resbench.theory import proxy as registry
from resbench.theory.proxy import ProxyInput, measure, proxies, started

NAMES = sorted(proxies())


def start(unit: str, **keys: str) -> ProxyInput:
    images = torch.randn(8, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    words = [f"{key}={value}" for key, value in {"depth": "14", "width": "4", **keys}.items()]
    return started(bound(unit, *words), "he_normal", 0, images, torch.arange(8) % 10)


def test_those_that_ship() -> None:
    assert set(NAMES) >= {
        "grad_norm", "synflow_log10", "naswot", "jacobian_covariance", "zen", "path_ops", "forward_share_log10",
        "gradient_share_log10", "signal_share_log10",
    }  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("unit", ["original", "full_preactivation", "dropout_shortcut", "plain"])
def test_a_number_and_the_same_twice(name: str, unit: str) -> None:
    one = start(unit)
    before = {key: tensor.clone() for key, tensor in one.network.state_dict().items()}
    value = measure(name, one)
    assert value is not None
    assert math.isfinite(value)
    assert measure(name, one) == value
    assert all(torch.equal(before[key], tensor) for key, tensor in one.network.state_dict().items())


def test_more_of_the_signal_comes_through_an_identity() -> None:
    shares = {
        unit: measure("gradient_share_log10", start(unit, depth="26")) for unit in ("plain", "full_preactivation")
    }
    assert shares["plain"] is not None
    assert shares["full_preactivation"] is not None
    assert shares["full_preactivation"] > shares["plain"] + 1


def test_a_wider_network_has_a_larger_synflow() -> None:
    narrow, wide = (measure("synflow_log10", start("original", width=width)) for width in ("2", "8"))
    assert narrow is not None
    assert wide is not None
    assert wide > narrow


def test_a_proxy_that_fails_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(given: ProxyInput) -> float:
        raise ZeroDivisionError("nothing to divide")

    monkeypatch.setitem(registry._PROXIES, "broken", broken)
    with pytest.raises(PluginError, match=r"proxy `broken` \(.*broken\): .*nothing to divide"):
        measure("broken", start("plain"))
    monkeypatch.setitem(registry._PROXIES, "broken", lambda given: math.inf)
    assert measure("broken", start("plain")) is None


def test_a_name_is_given_once() -> None:
    with pytest.raises(ValueError, match="proxy `zen` is registered twice"):
        registry.proxy("zen")(lambda given: 0.0)
