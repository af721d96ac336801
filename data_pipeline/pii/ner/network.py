"""The network: hashed spelling and word pieces, five gated convolutions, one score a tag. For training.

The convolutions are those of Dauphin et al. (2017), dilated as in Strubell et al. (2017): a token's tags
depend on the nine tokens before it and the nine behind it.
"""

import torch
from torch import Tensor, nn

from data_pipeline.pii.ner.features import AFFIX_ROWS, AFFIXES, MOST_PIECES, SHAPE_ROWS, WORD_ROWS
from data_pipeline.pii.ner.tags import TAGS

DILATIONS = (1, 1, 2, 4, 1)
REACH = sum(DILATIONS)
PIECE_WIDTH = 64
_WORD, _AFFIX, _SHAPE, _SMALL = 64, 24, 24, 8


class Block(nn.Module):
    """A gated convolution over three tokens, added to its input."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.dilation = dilation
        self.mix = nn.Linear(3 * width, 2 * width)
        self.dropout = nn.Dropout(0.15)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """(texts, tokens, width) to the same; `mask` (texts, tokens, 1) is 0 where there is no token."""
        inner = self.norm(hidden) * mask
        far = self.dilation
        padded = nn.functional.pad(inner, (0, 0, far, far))
        seen = torch.cat([padded[:, : -2 * far], inner, padded[:, 2 * far :]], dim=-1)
        return hidden + self.dropout(nn.functional.glu(self.mix(seen)))


class Tagger(nn.Module):
    """Scores of every tag for every token.

    Args:
        pieces: (vocabulary, d) vectors of the word pieces, which training leaves as they are.
        width: size of a token's vector.
    """

    pieces: Tensor

    def __init__(self, pieces: Tensor, width: int) -> None:
        super().__init__()
        self.register_buffer("pieces", pieces)
        self.project = nn.Linear(pieces.shape[1], PIECE_WIDTH, bias=False)
        self.word = nn.Embedding(WORD_ROWS, _WORD)
        self.affix = nn.Embedding(AFFIX_ROWS, _AFFIX)
        self.shape = nn.Embedding(SHAPE_ROWS, _SHAPE)
        self.count = nn.Embedding(MOST_PIECES + 1, _SMALL)
        self.gap = nn.Embedding(4, _SMALL)
        self.case = nn.Embedding(3, _SMALL)
        for table in (self.word, self.affix, self.shape, self.count, self.gap, self.case):
            nn.init.normal_(table.weight, std=0.3)
        size = 2 * PIECE_WIDTH + _WORD + AFFIXES * _AFFIX + _SHAPE + 3 * _SMALL
        self.mix = nn.Sequential(nn.Dropout(0.15), nn.Linear(size, 2 * width), nn.GLU(), nn.LayerNorm(width))
        self.blocks = nn.ModuleList(Block(width, dilation) for dilation in DILATIONS)
        self.score = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, len(TAGS)))

    def forward(self, words: Tensor, pieces: Tensor, context: Tensor, mask: Tensor) -> Tensor:
        """`words` (b, n, 9), `pieces` (b, n, 2), `context` (b, n, 2), `mask` (b, n, 1) to (b, n, TAGS)."""
        known = self.project(nn.functional.embedding(pieces, self.pieces).float())
        parts = [
            known.flatten(2),
            self.word(words[..., 0]).float(),
            self.affix(words[..., 1 : 1 + AFFIXES]).float().flatten(2),
            self.shape(words[..., 7]).float(),
            self.count(words[..., 8]).float(),
            self.gap(context[..., 0]).float(),
            self.case(context[..., 1]).float(),
        ]
        hidden = self.mix(torch.cat(parts, dim=-1))
        for block in self.blocks:
            hidden = block(hidden, mask)
        scores: Tensor = self.score(hidden)
        return scores
