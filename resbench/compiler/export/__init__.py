"""Write a network for use elsewhere: Python, ONNX, torch.export, safetensors."""
