"""The op keeps the contract, begins as nothing, and is the paper's formula."""

import torch
from global_response_norm.op import GlobalResponseNorm

from resbench.testing import check_op


def test_contract() -> None:
    check_op(GlobalResponseNorm)
    check_op(GlobalResponseNorm, {"eps": 1e-3}, inputs=[(5, 3, 4)])


def test_formula_of_the_paper() -> None:
    module, x = GlobalResponseNorm(3), torch.arange(24.0).reshape(2, 3, 2, 2)
    gamma, beta = torch.tensor([0.5, -1.0, 2.0]), torch.tensor([1.0, 0.0, -3.0])
    module.load_state_dict({"gamma": gamma.reshape(3, 1, 1), "beta": beta.reshape(3, 1, 1)})
    for image in range(2):
        norms = [x[image, channel].square().sum().sqrt() for channel in range(3)]
        for channel in range(3):
            share = norms[channel] / (sum(norms) / 3 + 1e-6)
            wanted = gamma[channel] * x[image, channel] * share + beta[channel] + x[image, channel]
            torch.testing.assert_close(module(x)[image, channel], wanted)
