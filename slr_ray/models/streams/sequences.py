"""Encoders of sequences of steps, each step in the light of all."""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from slr_ray.models.attention import EncoderLayer
from slr_ray.models.dropout import Dropout
from slr_ray.models.positions import sinusoids

_EXPANSION = 2


class Lstm(nn.Module):
    """LSTMs in both directions (Graves and Schmidhuber 2005), each with half of the width."""

    def __init__(self, width: int, num_layers: int, num_heads: int, dropout: float) -> None:
        super().__init__()
        self.lstm = nn.LSTM(
            width,
            width // 2,
            num_layers,
            batch_first=True,
            bidirectional=True,
            dropout=dropout if num_layers > 1 else 0.0,
        )
        self.dropout = Dropout(dropout)

    def forward(
        self, steps: Float[Tensor, "clips steps width"], mask: Bool[Tensor, "clips steps"]
    ) -> Float[Tensor, "clips steps width"]:
        # Packed: the backward direction must begin at a clip's own end.
        lengths = mask.sum(dim=1).clamp(min=1).cpu()
        # A copy's weights, such as those of averages, don't lie together as a GPU wants them.
        self.lstm.flatten_parameters()
        packed = pack_padded_sequence(steps, lengths, batch_first=True, enforce_sorted=False)
        found, _ = pad_packed_sequence(
            self.lstm(packed)[0], batch_first=True, total_length=steps.shape[1]
        )
        dropped: Tensor = self.dropout(found)
        return dropped


class Transformer(nn.Module):
    """Transformer layers, norm first, with sines for the places of steps."""

    def __init__(self, width: int, num_layers: int, num_heads: int, dropout: float) -> None:
        super().__init__()
        self.dropout = Dropout(dropout)
        self.layers = nn.ModuleList(
            EncoderLayer(width, num_heads, _EXPANSION * width, dropout, norm_first=True)
            for _ in range(num_layers)
        )
        self.norm = nn.LayerNorm(width)

    def forward(
        self, steps: Float[Tensor, "clips steps width"], mask: Bool[Tensor, "clips steps"]
    ) -> Float[Tensor, "clips steps width"]:
        placed = self.dropout(steps + sinusoids(steps.shape[1], steps.shape[2], steps.device))
        for layer in self.layers:
            placed = layer(placed, mask)
        normed: Tensor = self.norm(placed)
        return normed
