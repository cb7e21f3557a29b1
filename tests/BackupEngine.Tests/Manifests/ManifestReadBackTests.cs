using BackupEngine.Chunking;
using BackupEngine.Hashing;
using BackupEngine.Manifests;
using BackupEngine.Packing;
using Xunit;

namespace BackupEngine.Tests.Manifests;

/// <summary>Manifests are read back before they are stored.</summary>
public sealed class ManifestReadBackTests
{
    [Fact]
    public void Encode_ValidManifest_ReturnsItsBytes()
    {
        Manifest manifest = Create(ChunkHash.Sha256);
        Assert.Equal(ManifestEncoder.Encode(manifest), ManifestReadBack.Encode(manifest));
    }

    [Fact]
    public void Encode_UndefinedHash_ThrowsCorruptionException() => Assert.Throws<CorruptionException>(() => ManifestReadBack.Encode(Create(default)));

    [Fact]
    public void Encode_PageOfAnUnknownBackup_ThrowsCorruptionException()
    {
        Manifest manifest = Create(ChunkHash.Sha256);
        manifest.Pages[0] = new PageEntry(new FrameLocation(7, 1, 64, 100), 5);
        Assert.Throws<CorruptionException>(() => ManifestReadBack.Encode(manifest));
    }

    private static Manifest Create(ChunkHash hash)
    {
        var id = Guid.NewGuid();
        var geometry = new VolumeGeometry(100_000_000, 65_536);
        var manifest = new Manifest
        {
            BackupId = id,
            ParentId = null,
            VolumeId = "volume-1",
            Geometry = geometry,
            Hasher = new ChunkHasher(hash, 42),
            Backups = [id],
            Packs = new PackTable(),
            Pages = new PageTable(geometry.PageCount),
        };
        manifest.Packs.Add(new PackId(0, 1), new PackUse(10_000, 164));
        manifest.Pages[3] = new PageEntry(new FrameLocation(0, 1, 64, 100), 5);
        return manifest;
    }
}
