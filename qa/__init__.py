"""qa: answers from your own articles, in their own words, each cited to the place where it stands."""
