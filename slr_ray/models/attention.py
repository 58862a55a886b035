"""Transformer layers on padded batches, through PyTorch's scaled-dot-product attention."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from slr_ray.models.dropout import Dropout


def check_heads(width: int, num_heads: int) -> None:
    """`ValueError` where heads can't share the width evenly."""
    if width % num_heads:
        raise ValueError(f"width {width} is not divisible by num_heads {num_heads}")


class Attention(nn.Module):
    """Multi-head attention of queries over a padded memory (Vaswani et al. 2017, section 3.2.2)."""

    def __init__(self, width: int, num_heads: int, dropout: float) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.dropout = Dropout(dropout)
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.output = nn.Linear(width, width)
        for linear in (self.query, self.key_value):
            nn.init.xavier_uniform_(linear.weight)
            nn.init.zeros_(linear.bias)
        nn.init.zeros_(self.output.bias)

    def forward(
        self,
        queries: Float[Tensor, "clips queries width"],
        memory: Float[Tensor, "clips frames width"],
        mask: Bool[Tensor, "clips frames"],
    ) -> Float[Tensor, "clips queries width"]:
        """`mask` is True on the frames that may be attended to."""
        heads = (self.num_heads, queries.shape[-1] // self.num_heads)
        query = self.query(queries).unflatten(-1, heads).transpose(1, 2)
        key, value = self.key_value(memory).unflatten(-1, (2, *heads)).unbind(2)
        mixed = self._mixed(query, key.transpose(1, 2), value.transpose(1, 2), mask)
        output: Tensor = self.output(mixed.transpose(1, 2).flatten(2))
        return output

    def _mixed(
        self,
        query: Float[Tensor, "clips heads queries depth"],
        key: Float[Tensor, "clips heads frames depth"],
        value: Float[Tensor, "clips heads frames depth"],
        mask: Bool[Tensor, "clips frames"],
    ) -> Float[Tensor, "clips heads queries depth"]:
        visible = mask[:, None, None, :]
        dropout = self.dropout.p if self.training else 0.0
        if query.device.type == "cpu" and (dropout or query.dtype == torch.bfloat16):
            # On a processor PyTorch's fused kernel has no dropout, and takes 2 to 10 times as long
            # in bfloat16 on clips of 16 to 64 frames.
            scores = query @ key.transpose(-2, -1) * query.shape[-1] ** -0.5
            shares = scores.masked_fill(~visible, -torch.inf).softmax(-1).to(value.dtype)
            summed: Tensor = self.dropout(shares) @ value
            return summed
        return functional.scaled_dot_product_attention(
            query, key, value, attn_mask=visible, dropout_p=dropout
        )


class FeedForward(nn.Module):
    """Two linear maps with ReLU and dropout between them."""

    def __init__(self, width: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.inner = nn.Linear(width, hidden)
        self.outer = nn.Linear(hidden, width)
        self.dropout = Dropout(dropout)

    def forward(self, inputs: Float[Tensor, "*axes width"]) -> Float[Tensor, "*axes width"]:
        output: Tensor = self.outer(self.dropout(functional.relu(self.inner(inputs))))
        return output


class EncoderLayer(nn.Module):
    """Self-attention and feed-forward, each with a residual; norm after (published) or before."""

    def __init__(
        self, width: int, num_heads: int, hidden: int, dropout: float, norm_first: bool
    ) -> None:
        super().__init__()
        self.norm_first = norm_first
        self.attention = Attention(width, num_heads, dropout)
        self.feed_forward = FeedForward(width, hidden, dropout)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.dropout = Dropout(dropout)

    def forward(
        self, frames: Float[Tensor, "clips frames width"], mask: Bool[Tensor, "clips frames"]
    ) -> Float[Tensor, "clips frames width"]:
        if self.norm_first:
            normed = self.norm1(frames)
            frames = frames + self.dropout(self.attention(normed, normed, mask))
            mixed: Tensor = frames + self.dropout(self.feed_forward(self.norm2(frames)))
            return mixed
        frames = self.norm1(frames + self.dropout(self.attention(frames, frames, mask)))
        output: Tensor = self.norm2(frames + self.dropout(self.feed_forward(frames)))
        return output


class QueryDecoderLayer(nn.Module):
    """SPOTER's decoder layer: the class query attends to the frames; no self-attention.

    Where self-attention stood, the published code adds the dropped-out query to itself before the
    first norm; kept, since it is part of the published model. Norm stands after each part.
    """

    def __init__(self, width: int, num_heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.attention = Attention(width, num_heads, dropout)
        self.feed_forward = FeedForward(width, hidden, dropout)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.norm3 = nn.LayerNorm(width)
        self.dropout = Dropout(dropout)

    def forward(
        self,
        query: Float[Tensor, "clips 1 width"],
        memory: Float[Tensor, "clips frames width"],
        mask: Bool[Tensor, "clips frames"],
    ) -> Float[Tensor, "clips 1 width"]:
        query = self.norm1(query + self.dropout(query))
        query = self.norm2(query + self.dropout(self.attention(query, memory, mask)))
        output: Tensor = self.norm3(query + self.dropout(self.feed_forward(query)))
        return output
