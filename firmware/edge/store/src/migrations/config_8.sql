-- Which numbers outside an extension may call: an item of kind permission_group. The model's check of the
-- whole configuration sees to it that there is one.
ALTER TABLE extensions ADD COLUMN permission_group INTEGER;
