"""The tiny base: a small Llama pre-trained on general dialogue text that the project makes itself."""
