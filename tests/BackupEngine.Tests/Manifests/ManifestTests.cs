using System.Buffers.Binary;
using System.Security.Cryptography;
using BackupEngine.Chunking;
using BackupEngine.Format;
using BackupEngine.Hashing;
using BackupEngine.Manifests;
using BackupEngine.Packing;
using BackupEngine.TestKit;
using BackupEngine.TestKit.Requirements;
using BackupEngine.Volumes;
using Xunit;

namespace BackupEngine.Tests.Manifests;

public sealed class ManifestTests
{
    [Fact]
    public void Random_manifests_come_back()
    {
        int seed = TestSeed.Next();
        var random = new Random(seed);
        for (int round = 0; round < 100; round++)
        {
            Manifest manifest = NextManifest(random);
            byte[] bytes = ManifestEncoder.Encode(manifest);
            Manifest decoded = ManifestDecoder.Decode("key", bytes);
            Assert.Equal((manifest.BackupId, manifest.ParentId, manifest.VolumeId, manifest.Geometry, manifest.Hasher), (decoded.BackupId, decoded.ParentId, decoded.VolumeId, decoded.Geometry, decoded.Hasher));
            Assert.Equal(manifest.Backups, decoded.Backups);
            Assert.Equal(manifest.Packs.Packs, decoded.Packs.Packs);
            Assert.Equal(manifest.Pages.MappedPages(), decoded.Pages.MappedPages());
            Assert.All(manifest.Pages.MappedPages(), page => Assert.Equal(manifest.Pages[page], decoded.Pages[page]));
        }
    }

    /// <summary>It was stored, and the record that named it could not be restored.</summary>
    [Fact]
    public void A_manifest_that_could_not_be_read_again_is_not_written()
    {
        Manifest manifest = NextManifest(new Random(7));
        byte[] bytes = ManifestEncoder.Encode(manifest);
        Assert.Equal(bytes, ManifestEncoder.Encode(manifest, bytes.Length));
        VolumeException e = Assert.Throws<VolumeException>(() => ManifestEncoder.Encode(manifest, bytes.Length - 1));
        Assert.Contains("larger chunks", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_cut_and_every_flipped_bit_is_noticed()
    {
        var random = new Random(5);
        byte[] bytes = ManifestEncoder.Encode(NextManifest(random));
        for (int length = 0; length < bytes.Length; length++)
            Assert.Throws<CorruptionException>(() => ManifestDecoder.Decode("key", bytes.AsSpan(0, length)));
        for (int position = 0; position < bytes.Length; position++)
        {
            bytes[position] ^= 4;
            Assert.Throws<CorruptionException>(() => ManifestDecoder.Decode("key", bytes));
            bytes[position] ^= 4;
        }

        ManifestDecoder.Decode("key", bytes);
    }

    [LongRunning]
    [Fact]
    public void Even_with_a_right_digest_no_field_is_believed()
    {
        int seed = TestSeed.Next();
        var random = new Random(seed);
        for (int round = 0; round < 3_000; round++)
        {
            byte[] bytes = ManifestEncoder.Encode(NextManifest(random));
            int position = random.Next(2) == 0 ? random.Next(ManifestFormat.HeaderSize) : random.Next(bytes.Length - SHA256.HashSizeInBytes);
            bytes[position] = random.Next(3) switch { 0 => 0xFF, 1 => 0, _ => (byte)random.Next(256) };
            SHA256.HashData(bytes.AsSpan(..^SHA256.HashSizeInBytes), bytes.AsSpan(^SHA256.HashSizeInBytes..));
            try
            {
                Manifest manifest = ManifestDecoder.Decode("key", bytes);
                Assert.All(manifest.Pages.MappedPages(), page => manifest.GetPackKey(manifest.Pages[page].Location.Pack));
            }
            catch (BackupEngineException e) when (e is CorruptionException or RepositoryException)
            {
                // Refused with a name, as it should be; anything else fails the test.
            }
        }
    }

    [Theory]
    [InlineData(ManifestFormat.Header.Version, FormatVersion.Current + 1, "format version 3")]
    [InlineData(ManifestFormat.Header.RequiredFeatures, 2, "0x00000002")]
    public void A_later_version_or_an_unknown_feature_is_refused_by_name(int field, ushort value, string expected)
    {
        byte[] bytes = ManifestEncoder.Encode(NextManifest(new Random(1)));
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(field), value);
        SHA256.HashData(bytes.AsSpan(..^SHA256.HashSizeInBytes), bytes.AsSpan(^SHA256.HashSizeInBytes..));
        RepositoryException e = Assert.Throws<RepositoryException>(() => ManifestDecoder.Decode("volumes/v/manifests/x", bytes));
        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_pack_table_counts_frames_out_and_forgets_empty_packs()
    {
        var packs = new PackTable();
        packs.Add(new PackId(0, 1), new PackUse(1000, 300));
        Assert.False(packs.TryRelease(new FrameLocation(0, 2, 64, 100)));
        Assert.False(packs.TryRelease(new FrameLocation(0, 1, 64, 301)));
        PackTable copy = packs.Copy();
        Assert.True(packs.TryRelease(new FrameLocation(0, 1, 64, 100)));
        Assert.True(packs.TryRelease(new FrameLocation(0, 1, 164, 200)));
        Assert.Equal(0, packs.Count);
        Assert.False(packs.TryRelease(new FrameLocation(0, 1, 64, 100)));
        Assert.Equal(1, copy.Count);
    }

    [Fact]
    public void Decode_UnknownHashInIntactManifest_IsRefusedAsNewer()
    {
        byte[] bytes = ManifestEncoder.Encode(NextManifest(new Random(1)));
        bytes[ManifestFormat.Header.Hash] = 9;
        SHA256.HashData(bytes.AsSpan(..^SHA256.HashSizeInBytes), bytes.AsSpan(^SHA256.HashSizeInBytes..));
        RepositoryException e = Assert.Throws<RepositoryException>(() => ManifestDecoder.Decode("volumes/v/manifests/x", bytes));
        Assert.Contains("hash 9", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ChunkHash.XxHash128, 2)]
    [InlineData(ChunkHash.Sha256, 2)]
    [InlineData(ChunkHash.Blake3, 1)]
    [InlineData(ChunkHash.Blake3Bits256, 1)]
    public void Decode_VersionThatDoesNotFitTheHash_IsCorrupt(ChunkHash hash, byte version)
    {
        Manifest manifest = NextManifest(new Random(1)) with { Hasher = new ChunkHasher(hash, ChainKey.CreateRandom(hash)) };
        byte[] bytes = ManifestEncoder.Encode(manifest);
        Assert.Equal(manifest.Hasher, ManifestDecoder.Decode(manifest.Key, bytes).Hasher);
        bytes[ManifestFormat.Header.Version] = version;
        SHA256.HashData(bytes.AsSpan(..^SHA256.HashSizeInBytes), bytes.AsSpan(^SHA256.HashSizeInBytes..));
        Assert.Throws<CorruptionException>(() => ManifestDecoder.Decode(manifest.Key, bytes));
    }

    private static ChunkHasher NextHasher(Random random)
    {
        var hash = (ChunkHash)random.Next(1, 5);
        return new ChunkHasher(hash, ChainKey.CreateRandom(hash));
    }

    private static Manifest NextManifest(Random random)
    {
        var geometry = new VolumeGeometry(random.NextInt64(1L << random.Next(20, 45)), 65_536);
        var pages = new PageTable(geometry.PageCount);
        for (int mapped = random.Next(50); mapped > 0 && geometry.PageCount > 0; mapped--)
        {
            long page = random.NextInt64(geometry.PageCount);
            for (int run = random.Next(20) == 0 ? random.Next(1000) : random.Next(1, 5); run > 0 && page < geometry.PageCount; run--, page++)
                pages[page] = new PageEntry(new FrameLocation((uint)random.Next(3), (uint)random.Next(9), (uint)random.Next(64, 1 << 20), (uint)random.Next(33, 5000)), (ulong)random.NextInt64());
        }

        var packs = new PackTable();
        for (uint pack = 0; pack < random.Next(20); pack++)
            packs.Add(new PackId(pack % 3, pack), new PackUse(random.Next(1000, 1 << 25), random.Next(1000)));
        return new Manifest
        {
            BackupId = Guid.NewGuid(),
            ParentId = random.Next(2) == 0 ? null : Guid.NewGuid(),
            VolumeId = "volume-7",
            Geometry = geometry,
            Hasher = NextHasher(random),
            Backups = [Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid()],
            Packs = packs,
            Pages = pages,
        };
    }
}
