"""The published Wav2Lip networks (Prajwal et al., 2020), entry for entry, and lips made with them."""
