"""A review for people and for programs; every page is made of the document of ``review.document`` alone."""
