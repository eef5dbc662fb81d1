"""One module a shape: how a vendor writes asset cards down. No shape knows of another, nor of any adapter."""
