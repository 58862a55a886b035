"""Attention's weights in PyTorch's own layer, for references."""

from __future__ import annotations

import torch
from torch import nn

from slr_ray.models.attention import Attention


def as_torch(ours: Attention) -> nn.MultiheadAttention:
    width = ours.query.in_features
    theirs = nn.MultiheadAttention(width, ours.num_heads, batch_first=True)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([ours.query.weight, ours.key_value.weight]))
        theirs.in_proj_bias.copy_(torch.cat([ours.query.bias, ours.key_value.bias]))
        theirs.out_proj.load_state_dict(ours.output.state_dict())
    return theirs.eval()
