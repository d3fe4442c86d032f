"""The file behind the document: kept aside while unsaved, and watched for other programs."""
