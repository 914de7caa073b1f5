"""Small torch modules for the layers that the text families do not have."""
import torch
from torch import nn


class ConvText(nn.Module):
    """Convolutions over time, as in speech encoders: kernel 5 with stride, kernel 1, then a linear head."""

    def __init__(self):
        super().__init__()
        self.front = nn.Conv1d(4, 12, 5, stride=2, padding=2)
        self.point = nn.Conv1d(12, 16, 1, bias=False)
        self.head = nn.Linear(16, 6)

    def forward(self, samples):
        hidden = torch.tanh(self.point(torch.tanh(self.front(samples))))
        return self.head(hidden.mean(dim=2))


class ConvImage(nn.Module):
    """Convolutions over an image: 3x3, 1x1, a kernel with unequal sides, and a linear head."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.point = nn.Conv2d(8, 12, 1)
        self.wide = nn.Conv2d(12, 10, (2, 3), stride=2, bias=False)
        self.head = nn.Linear(10, 6)

    def forward(self, pixels):
        hidden = torch.tanh(self.wide(torch.tanh(self.point(torch.tanh(self.stem(pixels))))))
        return self.head(hidden.mean(dim=(2, 3)))


class ConvVolume(nn.Module):
    """A convolution over a volume, kernel 2x3x3."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv3d(2, 6, (2, 3, 3), padding=(0, 1, 1))
        self.head = nn.Linear(6, 5)

    def forward(self, volume):
        return self.head(torch.tanh(self.stem(volume)).mean(dim=(2, 3, 4)))


class Attending(nn.Module):
    """torch's own attention layer with its packed in_proj between two linears."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(10, 16)
        self.self_attn = nn.MultiheadAttention(16, 4, batch_first=True)
        self.head = nn.Linear(16, 6)

    def forward(self, features):
        hidden = self.embed(features)
        mixed, _ = self.self_attn(hidden, hidden, hidden, need_weights=False)
        return self.head(hidden + mixed)


class Experts(nn.Module):
    """Expert weights in one parameter [experts, out, in], all experts run and mixed by their gates."""

    def __init__(self, experts, features, hidden, stored_in_out):
        super().__init__()
        self.is_transposed = stored_in_out           # PEFT asks modules by this name which axis is which
        up = (experts, features, hidden) if stored_in_out else (experts, hidden, features)
        down = (experts, hidden, features) if stored_in_out else (experts, features, hidden)
        self.up = nn.Parameter(0.3 * torch.randn(up))
        self.down = nn.Parameter(0.3 * torch.randn(down))

    def forward(self, features, gates):
        up, down = self.up, self.down
        if not self.is_transposed:
            up, down = up.transpose(1, 2), down.transpose(1, 2)
        hidden = torch.tanh(torch.matmul(features.unsqueeze(0), up))
        return (torch.matmul(hidden, down) * gates.transpose(0, 1).unsqueeze(2)).sum(dim=0)


class Mixture(nn.Module):
    """A router, experts and a head; stored_in_out chooses which way round the expert weights lie."""

    def __init__(self, stored_in_out):
        super().__init__()
        self.router = nn.Linear(12, 3)
        self.experts = Experts(3, 12, 20, stored_in_out)
        self.head = nn.Linear(12, 5)

    def forward(self, features):
        return self.head(self.experts(features, torch.softmax(self.router(features), dim=1)))
