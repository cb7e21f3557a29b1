using System.Buffers.Binary;
using BackupEngine.Format;

namespace BackupEngine.Manifests;

/// <summary>Refuses objects that a later version of the format wrote.</summary>
internal static class FormatGuard
{
    /// <summary>Checks the version and the required features that the header of a manifest or a pack names.</summary>
    /// <returns>The version.</returns>
    /// <exception cref="RepositoryException">This engine cannot read the object.</exception>
    public static int Check(string key, ReadOnlySpan<byte> version, ReadOnlySpan<byte> requiredFeatures)
    {
        int found = BinaryPrimitives.ReadUInt16LittleEndian(version);
        if (found is < 1 or > FormatVersion.Current)
            throw new RepositoryException($"{key} has format version {found}; this engine reads versions up to {FormatVersion.Current}. Use a newer engine.");

        uint features = BinaryPrimitives.ReadUInt32LittleEndian(requiredFeatures);
        if (features != 0)
            throw new RepositoryException(
                $"{key} needs features 0x{features:x8}, which format version {FormatVersion.Current} of this engine does not have. Use a newer engine.");
        return found;
    }
}
