// ParseXml parses one XML part of a container, from hostile bytes, into a tree.
//
// pugixml keeps a DOCTYPE unread, so no entity beyond XML's own five exists: an entity bomb stays
// the text "&lol9;", and an external entity is never opened. Namespace prefixes are the writer's
// choice, so elements and attributes are compared by their local name: "w:p", "p" and "x:p" are all
// "p". The few formats read here reuse no local name in a way that matters.
#pragma once

#include <pugixml.hpp>

#include <string>
#include <string_view>

namespace tome {

// Parses UTF-8, UTF-16 or UTF-32 (by BOM or declaration). White space between elements is kept.
// Throws Error naming `part`: kCorrupt where the XML is not well-formed (with the byte offset) or
// nests deeper than kMaxElementDepth, kOutOfMemory where its tree would pass kMaxXmlTreeBytes.
pugi::xml_document ParseXml(std::string_view bytes, std::string_view part);

// Returns "p" for "w:p"; empty for nodes that are no elements. The view lives as long as the tree.
std::string_view LocalName(pugi::xml_node node);

// Return the first child element with this local name, or a null node; the value of the attribute
// with this local name, or "".
pugi::xml_node Child(pugi::xml_node parent, std::string_view local_name);
std::string_view Attribute(pugi::xml_node node, std::string_view local_name);
bool HasAttribute(pugi::xml_node node, std::string_view local_name);

// Returns the first element with this local name among `root` and the nodes below it, in document
// order, or a null node.
pugi::xml_node FindDescendant(pugi::xml_node root, std::string_view local_name);

// Returns all text inside `root`. It does not recurse, and neither does FindDescendant.
std::string TextContent(pugi::xml_node root);

// Returns the node after `node` in document order that lies inside `root`, or a null node at the
// end.
pugi::xml_node NextInDocument(pugi::xml_node node, pugi::xml_node root);

// Returns the same as NextInDocument, but skips everything inside `node`.
pugi::xml_node NextAfter(pugi::xml_node node, pugi::xml_node root);

// Returns the whole number that `text` holds, clamped to [low, high], or `fallback` if it holds no
// number.
int ParseInt(std::string_view text, int low, int high, int fallback);

}  // namespace tome
