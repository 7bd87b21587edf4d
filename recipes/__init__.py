"""Recipes: how what is shipped in pretrained/ and voicelip/assets/ was made."""
