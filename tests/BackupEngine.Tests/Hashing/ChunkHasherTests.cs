using System.Text;
using BackupEngine.Hashing;
using BackupEngine.Tests.Repository;
using Xunit;

namespace BackupEngine.Tests.Hashing;

/// <summary>The digests of chunks are those that docs/format.md defines, whoever computes them.</summary>
public sealed class ChunkHasherTests
{
    /// <summary>The key and the input (bytes 0 to 250, repeated) of BLAKE3's official test vectors.</summary>
    private static readonly byte[] _key = Encoding.ASCII.GetBytes("whats the Elvish word for friend");

    /// <summary>From test_vectors.json of the BLAKE3 team: the library computes hash and keyed hash as the specification says.</summary>
    [Theory]
    [InlineData(0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262", "92b2b75604ed3c761f9d6f62392c8a9227ad0ea3f09573e783f1498a4ed60d26")]
    [InlineData(1, "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213", "6d7878dfff2f485635d39013278ae14f1454b8c0a3a2d34bc1ab38228a80c95b")]
    [InlineData(64, "4eed7141ea4a5cd4b788606bd23f46e212af9cacebacdc7d1f4c6dc7f2511b98", "ba8ced36f327700d213f120b1a207a3b8c04330528586f414d09f2f7d9ccb7e6")]
    [InlineData(1024, "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7", "75c46f6f3d9eb4f55ecaaee480db732e6c2105546f1e675003687c31719c7ba4")]
    [InlineData(1025, "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444", "357dc55de0c7e382c900fd6e320acc04146be01db6a8ce7210b7189bd664ea69")]
    [InlineData(4096, "015094013f57a5277b59d8475c0501042c0b642e531b0a1c8f58d2163229e969", "befc660aea2f1718884cd8deb9902811d332f4fc4a38cf7c7300d597a081bfc0")]
    [InlineData(31744, "62b6960e1a44bcc1eb1a611a8d6235b6b4b78f32e7abc4fb4c6cdcce94895c47", "efa53b389ab67c593dba624d898d0f7353ab99e4ac9d42302ee64cbf9939a419")]
    [InlineData(102400, "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085", "1c35d1a5811083fd7119f5d5d1ba027b4d01c0c6c49fb6ff2cf75393ea5db4a7")]
    public void Library_OfficialTestVectors_ReturnsTheirDigests(int length, string hash, string keyedHash)
    {
        Assert.Equal(hash, Convert.ToHexStringLower(Blake3.Hasher.Hash(Input(length)).AsSpan()));
        using Blake3.Hasher keyed = Blake3.Hasher.NewKeyed(_key);
        keyed.Update(Input(length));
        Assert.Equal(keyedHash, Convert.ToHexStringLower(keyed.Finalize().AsSpan()));
    }

    /// <summary>Computed by b3sum 1.2.0, the program of the BLAKE3 team: <c>b3sum --raw CHUNK</c>, and <c>b3sum --keyed</c> of that.</summary>
    [Theory]
    [InlineData(1, "f2d6d74605aaf42a30128884d6fa32a79f11e01de027b003387a7ca0cd72afa0")]
    [InlineData(1023, "21367510c3f5ca2615eb74987fcd578fe39565971055b9a58489b18781964020")]
    [InlineData(1024, "3f7a41018857609611f77680cdb00efa271f650748dc27d7d0e75fdfcd1f7b2d")]
    [InlineData(1025, "707f9c005eeddbacea72d4efecaaceaf40eed8c4cb951a281d1374954754c93a")]
    [InlineData(4096, "ffe96ea8eab6194c2ebe61600ce8244651330f699654de1e10657b75b1430e36")]
    [InlineData(31744, "e33cbc269b5ee233b0b07b4c510bf28df09a9bc82c6da2dff61aa8c7ad9e9c01")]
    [InlineData(65536, "642b7edc040ce0df2c23eab2e850d1880bd2558cf0bff8f06f958c585f5a04c7")]
    [InlineData(65537, "efaa9f5f2377c90317c0a3a0fc49c168e0dd4b0f2aedefaa584f3355c076059b")]
    [InlineData(102400, "179bba0e071a01df0f5b3f082c77e3238b17f5ed9964bd7f71607599f33a27bf")]
    [InlineData(1048576, "ab3d74f36d3697546d0c3caa2b646b456656bed94f655a7df7f887f51a8e3bbd")]
    [InlineData(4194304, "87f35f027ac7b056f070f4d5530fa6da4e9512a1fe46793ec0b8634b06d7fe37")]
    public void Hash_Blake3_ReturnsDigestOfIndependentImplementation(int length, string digest)
    {
        ChainKey key = ChainKey.FromBytes(_key);
        Assert.Equal(digest, Hash(new ChunkHasher(ChunkHash.Blake3Bits256, key), Input(length)));
        Assert.Equal(digest[..32], Hash(new ChunkHasher(ChunkHash.Blake3, key), Input(length)));
    }

    [Fact]
    public void Hash_KeysAlternateOnOneThread_UsesEachChainsOwnKey()
    {
        ChunkHasher[] hashers = [.. Enumerable.Range(0, 3).Select(_ => new ChunkHasher(ChunkHash.Blake3, ChainKey.CreateRandom(ChunkHash.Blake3)))];
        byte[] chunk = Repositories.Noise(65_536);
        string[] digests = [.. hashers.Select(hasher => Hash(hasher, chunk))];
        Assert.Equal(3, digests.Distinct().Count());
        for (int round = 0; round < 3; round++)
            Assert.Equal(digests, hashers.Select(hasher => Hash(hasher, chunk)));
    }

    [Fact]
    public async Task Hash_ManyThreadsAtOnce_ReturnsTheSameDigests()
    {
        var hasher = new ChunkHasher(ChunkHash.Blake3, ChainKey.CreateRandom(ChunkHash.Blake3));
        byte[][] chunks = [.. Enumerable.Range(0, 64).Select(seed => Repositories.Noise(16_384 + seed, seed))];
        string[] expected = [.. chunks.Select(chunk => Hash(hasher, chunk))];
        Assert.Equal(chunks.Length, expected.Distinct().Count());
        await Parallel.ForAsync(0, 2_000, Repositories.Token, (index, _) =>
        {
            Assert.Equal(expected[index % chunks.Length], Hash(hasher, chunks[index % chunks.Length]));
            return ValueTask.CompletedTask;
        });
    }

    [Fact]
    public void Hash_Blake3_AllocatesNothingPerChunk()
    {
        var hasher = new ChunkHasher(ChunkHash.Blake3, ChainKey.CreateRandom(ChunkHash.Blake3));
        byte[] chunk = Repositories.Noise(65_536);
        hasher.Hash(chunk);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int index = 0; index < 100; index++)
            hasher.Hash(chunk);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void CreateRandom_EachHash_DrawsOnlyTheBytesThatItUses()
    {
        foreach (ChunkHash hash in Enum.GetValues<ChunkHash>())
        {
            byte[] key = new byte[ChainKey.Length];
            ChainKey.CreateRandom(hash).CopyTo(key);
            Assert.NotEqual(ChainKey.CreateRandom(hash), ChainKey.FromBytes(key));
            Assert.Equal(ChainKey.GetLength(hash) < ChainKey.Length, key.AsSpan(8).IndexOfAnyExcept((byte)0) < 0);
        }
    }

    private static byte[] Input(int length) => [.. Enumerable.Range(0, length).Select(index => (byte)(index % 251))];

    private static string Hash(ChunkHasher hasher, byte[] chunk)
    {
        byte[] digest = new byte[hasher.DigestLength];
        hasher.Hash(chunk).CopyTo(digest);
        return Convert.ToHexStringLower(digest);
    }
}
