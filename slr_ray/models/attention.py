"""Transformer layers on padded batches, through PyTorch's scaled-dot-product attention."""

from __future__ import annotations

import contextlib

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel


class Attention(nn.Module):
    """Multi-head attention of queries over a padded memory (Vaswani et al. 2017, section 3.2.2)."""

    def __init__(self, width: int, num_heads: int, dropout: float) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.dropout = dropout
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
        with _kernels(query):
            mixed = functional.scaled_dot_product_attention(
                query,
                key.transpose(1, 2),
                value.transpose(1, 2),
                attn_mask=mask[:, None, None, :],
                dropout_p=self.dropout if self.training else 0.0,
            )
        output: Tensor = self.output(mixed.transpose(1, 2).flatten(2))
        return output


def _kernels(query: Tensor) -> contextlib.AbstractContextManager[None]:
    """Plain matrix products for bfloat16 on a CPU, else what PyTorch chooses.

    Its fused CPU kernel takes 2 to 10 times as long on clips of 16 to 64 frames.
    """
    if query.device.type == "cpu" and query.dtype == torch.bfloat16:
        return sdpa_kernel(SDPBackend.MATH)
    return contextlib.nullcontext()


class FeedForward(nn.Module):
    """Two linear maps with ReLU and dropout between them."""

    def __init__(self, width: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.inner = nn.Linear(width, hidden)
        self.outer = nn.Linear(hidden, width)
        self.dropout = nn.Dropout(dropout)

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
        self.dropout = nn.Dropout(dropout)

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
        self.dropout = nn.Dropout(dropout)

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
