"""Mean loss and error over more images than one batch of evaluation."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from train_sample import network

from resbench.data.split import InMemorySplit
from resbench.train.evaluate import BATCH, evaluate


class Answers(nn.Module):
    """Logits are the image's pixels."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1)


def test_loss_and_error_are_over_all_images() -> None:
    n = 2 * BATCH + 7
    x = torch.zeros(n, 2, 1, 1)
    x[:, 1] = 3.0  # always answers class 1
    y = (torch.arange(n) < 300).long()
    (score,) = evaluate(Answers(), InMemorySplit(x, y))
    right, wrong = torch.log1p(torch.exp(torch.tensor(-3.0))), torch.log1p(torch.exp(torch.tensor(3.0)))
    assert score.error_pct == pytest.approx(100 * (n - 300) / n, rel=1e-12)
    assert score.loss == pytest.approx(float((300 * right + (n - 300) * wrong) / n), rel=1e-6)


def test_evaluation_changes_nothing_and_is_in_eval_mode() -> None:
    net, _ = network("dropout_shortcut")
    before = {name: value.clone() for name, value in net.state_dict().items()}
    x, y = torch.randn(9, 1, 8, 8, generator=torch.Generator().manual_seed(1)), torch.arange(9)
    net.train()
    assert evaluate(net, InMemorySplit(x, y)) == evaluate(net, InMemorySplit(x, y))
    assert net.training
    net.eval()
    evaluate(net, InMemorySplit(x, y))
    assert not net.training
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    assert all(p.grad is None for p in net.parameters())
