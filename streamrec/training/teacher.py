"""The teacher: attention over what a user read, then a scorer on user, article and features. It never serves.

    a_i = P v_i + R gelu(Q v_i)                            every article vector v (64) -> W, read or candidate alike
    h   = a + O attention(K a, V a), heads of W / 8        each read in the light of the others
    u   = sum_i softmax(s tanh(S h_i)) h_i                 one vector a user; a learned one for who read nothing
    logit = M[u, c, u * c, z] + scale * (u . c) / sqrt(W)  z = standardised features, M = an MLP W' -> 2W -> W -> 1

After NRMS (Wu et al., EMNLP 2019), with article vectors from the encoder in place of words, and the served features
beside them. W = 256 gives 1.0 M parameters. It is what the served models are distilled from, and the upper baseline
they are compared with. All weights are in nn.Linear layers, so every method of compression can be tried on it.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..arrays import FloatArray
from ..contracts.limits import VECTOR_DIMS
from ..engine.predictor import COLUMNS
from ..models.network import INPUT_RANGE, standardisation
from .model import Batch

WIDTH = 256
HEADS = 8
ARTICLE_DROPOUT, INPUT_DROPOUT, HIDDEN_DROPOUT = 0.2, 0.1, 0.3


class Teacher(nn.Module):
    """The ranker with attention over 30 reads, like NRMS (Wu et al., 2019), that compression starts from."""

    reads_history = True
    mean: Tensor
    std: Tensor

    def __init__(self, width: int = WIDTH, heads: int = HEADS) -> None:
        super().__init__()
        self.width, self.heads = width, heads
        self.project = nn.Linear(VECTOR_DIMS, width)
        self.widen, self.narrow = nn.Linear(VECTOR_DIMS, width), nn.Linear(width, width)
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width)
        self.value, self.out = nn.Linear(width, width), nn.Linear(width, width)
        self.attend, self.weigh = nn.Linear(width, width // 2), nn.Linear(width // 2, 1, bias=False)
        self.newcomer = nn.Parameter(torch.zeros(width))
        self.scorer = nn.ModuleList(
            [nn.Linear(3 * width + COLUMNS, 2 * width), nn.Linear(2 * width, width), nn.Linear(width, 1)]
        )
        self.scale = nn.Parameter(torch.zeros(1))
        self.register_buffer("mean", torch.zeros(COLUMNS))
        self.register_buffer("std", torch.ones(COLUMNS))

    def learn_standardisation(self, x: FloatArray) -> None:
        """Mean and standard deviation of each column of (N, COLUMNS), as in the served network."""
        mean, std = standardisation(x)
        self.mean.copy_(mean)
        self.std.copy_(std)

    def forward(self, batch: Batch) -> Tensor:
        """Logits (n,) of a batch, whose user vectors are made of its histories first."""
        user = self.user(batch.history, batch.seen)
        return self.score(user if batch.user is None else user[batch.user], batch)

    def score(self, user: Tensor, batch: Batch) -> Tensor:
        """Logits (n,) of a batch whose user vectors (n, W) are given."""
        article = self.article(batch.candidate)
        z = ((batch.x - self.mean) / self.std).clamp(-INPUT_RANGE, INPUT_RANGE)
        z = functional.dropout(z, INPUT_DROPOUT, self.training)
        h = torch.cat((user, article, user * article, z), dim=1)
        *hidden, last = self.scorer
        for layer in hidden:
            h = functional.dropout(functional.relu(layer(h)), HIDDEN_DROPOUT, self.training)
        similarity = (user * article).sum(dim=1) / math.sqrt(self.width)
        logits: Tensor = last(h).squeeze(1) + self.scale * similarity
        return logits

    def article(self, vectors: Tensor) -> Tensor:
        """Encoder's article vectors (..., 64) in the teacher's own space (..., W)."""
        found: Tensor = self.project(vectors) + self.narrow(functional.gelu(self.widen(vectors)))
        return functional.dropout(found, ARTICLE_DROPOUT, self.training)

    def user(self, history: Tensor, seen: Tensor) -> Tensor:
        """User vectors (U, W) from what each read: vectors (U, 30, 64), and which of them are there (U, 30)."""
        articles = self.article(history)
        anything = seen.any(dim=1, keepdim=True)
        mask = seen | ~anything  # a softmax over nothing is NaN; what comes of it is replaced below
        h = articles + self._among_themselves(articles, mask)
        weights = self.weigh(torch.tanh(self.attend(h))).squeeze(2).masked_fill(~mask, -torch.inf)  # (U, 30)
        user = (weights.softmax(dim=1).unsqueeze(2) * h).sum(dim=1)
        return torch.where(anything, user, self.newcomer)

    def _among_themselves(self, articles: Tensor, mask: Tensor) -> Tensor:
        def split(t: Tensor) -> Tensor:  # (U, 30, W) -> (U, heads, 30, W / heads)
            return t.reshape(len(t), -1, self.heads, self.width // self.heads).transpose(1, 2)

        q, k, v = split(self.query(articles)), split(self.key(articles)), split(self.value(articles))
        mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None, :])
        found: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return found
