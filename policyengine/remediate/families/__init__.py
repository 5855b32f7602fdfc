"""What several handlers of one family of resources read and say alike."""
