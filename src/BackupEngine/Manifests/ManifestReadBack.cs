namespace BackupEngine.Manifests;

/// <summary>Encodes manifests and proves that they can be read again: a backup whose manifest cannot be decoded must never become available.</summary>
internal static class ManifestReadBack
{
    /// <summary>Encodes a manifest and decodes the result once.</summary>
    /// <returns>The encoded manifest.</returns>
    /// <exception cref="CorruptionException">The encoded manifest cannot be decoded, or says something else than <paramref name="manifest"/>.</exception>
    public static byte[] Encode(Manifest manifest)
    {
        byte[] bytes = ManifestEncoder.Encode(manifest);
        Manifest read;
        try
        {
            read = ManifestDecoder.Decode(manifest.Key, bytes);
        }
        catch (BackupEngineException e)
        {
            throw new CorruptionException(manifest.Key, null, $"the new manifest cannot be read back and was not stored: {e.Message}", e);
        }

        return read.Key == manifest.Key && read.ParentId == manifest.ParentId && read.Geometry == manifest.Geometry && read.Hasher == manifest.Hasher
            && read.Backups.SequenceEqual(manifest.Backups) && read.Packs.Count == manifest.Packs.Count && HaveSamePages(read.Pages, manifest.Pages)
            ? bytes
            : throw new CorruptionException(manifest.Key, null, "the new manifest does not read back as it was written, and was not stored");
    }

    private static bool HaveSamePages(PageTable read, PageTable written)
    {
        if (read.PageCount != written.PageCount)
            return false;
        long page = written.FindMapped(0);
        for (; page < written.PageCount; page = written.FindMapped(page + 1))
        {
            if (read[page] != written[page])
                return false;
        }

        return read.MappedPages().LongCount() == written.MappedPages().LongCount();
    }
}
